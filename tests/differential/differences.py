"""The deliberate differences between the reference (ml-metadata 1.17.1) and us: each with its reason and its test.

A test of ``test_differences.py`` shows both sides, and fails when the difference disappears on either. Whatever is not
here is meant to be the same. How the filter language differs in detail stands in ``tests/unit/cypher/differences.py``.

The wheel of ml-metadata has no server. What its server does is known from its source and documentation, and the tests
of those rows show our side only, and that there is still no server to show the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Difference:
    """One row."""

    key: str
    reference: str
    """What the reference does."""
    ours: str
    reason: str
    test: str
    """The name of the test that shows it."""
    where: Literal["native", "everywhere"] = "everywhere"
    """``native``: not in ``lineage.mlmd`` and the calls of MLMD's service, which answer as the reference does."""


DIFFERENCES = (
    # --- values ------------------------------------------------------------------------------------------------------
    Difference(
        "doubles",
        "a double keeps six decimals, -0.0 loses its sign, NaN and infinities are INTERNAL",
        "doubles are exact, all of them",
        "a value that was put comes back",
        "test_doubles",
    ),
    Difference(
        "struct-numbers",
        "numbers in a struct are doubles, and a struct is an object",
        "an int stays an int, and a list is a struct too",
        "a value that was put comes back",
        "test_struct_numbers",
        where="native",
    ),
    Difference(
        "struct-depth",
        "a struct is as deep as the message that it came in allows; in a deeper answer it is an error",
        "dicts are nested at most 32 deep, or lists 46 (40 levels in the shape of a type); what an earlier version "
        "stored deeper is natively what it was, and its JSON as a string_value for MLMD's clients",
        "every client can read every answer",
        "test_struct_depth",
    ),
    Difference(
        "struct-strings",
        "a struct is stored as text, so that a filter finds it as a string_value",
        "a struct is no string",
        "a filter asks for what was put, not for how it is stored",
        "test_struct_is_no_string",
    ),
    Difference(
        "stored-strings",
        "text is cut at NUL; `mlmd-struct::...` makes its node unreadable; `__MLMD_NULL__` reads back as nothing or "
        "makes its node unreadable; so does an Any without type URL",
        "every text is a text; a ProtoValue must have a type URL",
        "a value that was put comes back, or is refused when it is put",
        "test_stored_strings",
    ),
    Difference(
        "empty-value",
        "an empty custom value ends the process",
        "INVALID_ARGUMENT",
        "a client must not be able to stop a server",
        "test_empty_value",
    ),
    Difference(
        "same-key",
        "changing or deleting a property also hits the custom property of that name, and the reverse",
        "the two are independent",
        "they are different properties",
        "test_same_key",
    ),
    # --- types -------------------------------------------------------------------------------------------------------
    Difference(
        "type-by-name",
        "a node's `type` is ignored when it is put: an insert without type_id is refused, an update to another `type` "
        "only moves the update time",
        "`type` names the type; a wrong one is INVALID_ARGUMENT",
        "people know names; a field that is given must mean something",
        "test_type_by_name",
        where="native",
    ),
    Difference(
        "keys-in-order",
        "nodes by id come by id, each once, and what is not there is left out without a word; by external id it is an "
        "error only if none is there",
        'in the order that was asked for; what is not there is NOT_FOUND unless `missing="skip"`',
        "`[a, b] = store.get_artifacts_by_id([2, 1])` means what it says",
        "test_keys_in_order",
        where="native",
    ),
    Difference(
        "reuse-leaves",
        "reuse_artifact_if_already_exist_by_external_id replaces the artifact that is there: what is left out is "
        "cleared",
        'the artifact is linked and left as it is, unless the option is "update"',
        "reuse must not lose what others recorded",
        "test_reuse_leaves",
        where="native",
    ),
    Difference(
        "unknown-types",
        "a type that is not there has no nodes",
        "NOT_FOUND, with the nearest names",
        "a typing error is no empty list",
        "test_unknown_types",
        where="native",
    ),
    Difference(
        "blank-filters",
        "a filter of blanks is INVALID_ARGUMENT, an empty one none",
        "both are none",
        "both say nothing",
        "test_blank_filters",
        where="native",
    ),
    Difference(
        "type-fields",
        "the list of all types leaves out external ids; look-ups by external id leave out base types, input and output "
        "types",
        "every read returns the whole type",
        "one type, one record",
        "test_type_fields",
        where="native",
    ),
    Difference(
        "type-twice",
        "a type that put_types makes with an external id, and has once more without, loses it",
        "it keeps it",
        "an external id left out never removes one, in no other call either",
        "test_type_twice",
    ),
    # --- writes ------------------------------------------------------------------------------------------------------
    Difference(
        "given-ignored",
        "times that are given when a node is put, another name of an artifact or execution, and unknown paths of a "
        "mask have no effect",
        "INVALID_ARGUMENT, unless they say what is stored; an update time that was read may be an older one",
        "nothing that was given is ignored",
        "test_given_ignored",
        where="native",
    ),
    Difference(
        "unique-clash",
        "a name or external id that is taken is INTERNAL on update, a type's in another kind also on insert",
        "ALREADY_EXISTS, as on insert",
        "the caller can do something about it",
        "test_unique_clash",
    ),
    Difference(
        "reuse-clash",
        "with reuse_context_if_already_exist a new context with an external id that is taken is ABORTED, which clients "
        "retry in vain",
        "ALREADY_EXISTS",
        "nobody else's write was in the way",
        "test_reuse_clash",
    ),
    Difference(
        "dangling-events",
        "put_execution and put_lineage_subgraph write events to nodes that do not exist, and attributions to artifact "
        "-1",
        "INVALID_ARGUMENT, and nothing is written",
        "a link has two ends",
        "test_dangling_events",
    ),
    Difference(
        "guessed-id",
        "force_reuse_context takes the id of a context that the same call is about to make, if it is guessed",
        "NOT_FOUND",
        "an id is known when a call has returned it",
        "test_guessed_id",
    ),
    # --- lists -------------------------------------------------------------------------------------------------------
    Difference(
        "page-size",
        "a page size above 100 gives 101 nodes and no token",
        "any page size",
        "the rest of the list could not be reached",
        "test_page_size",
    ),
    Difference(
        "paging-by-time",
        "paging by update time repeats for ever when more than two pages share a millisecond",
        "paging ends, each node comes once",
        "the place in a list is the time and the id",
        "test_paging_by_time",
    ),
    Difference(
        "lazy-options",
        "a bad limit, filter or token is not looked at where there is nothing to list",
        "INVALID_ARGUMENT always",
        "a mistake shows on the first call, not when data arrives",
        "test_lazy_options",
        where="native",
    ),
    # --- filters -----------------------------------------------------------------------------------------------------
    Difference(
        "filter-keys",
        "property keys are lower-cased; some characters break a back-quoted key",
        "exact keys, any character",
        "a property that can be stored can be found",
        "test_filter_keys",
    ),
    Difference(
        "filter-literals",
        "a literal that is a column's name is read as the column; escapes do not match",
        "a literal is a literal; escapes mean what they say",
        "a filter must not mean something else for some values",
        "test_filter_literals",
    ),
    Difference(
        "filter-enums",
        "the same enum condition twice, `<>`, the name on the left, ABANDONED, REFERENCE, PENDING_OUTPUT and `!=` on a "
        "neighbour's state are refused",
        "all work",
        "they are refused by the way the text is rewritten, not by a rule",
        "test_filter_enums",
    ),
    Difference(
        "filter-neighbours",
        "the times of parent and child contexts and the external ids of neighbours are INTERNAL",
        "all work",
        "its own SQL lacks the columns",
        "test_filter_neighbours",
    ),
    # --- lineage -----------------------------------------------------------------------------------------------------
    Difference(
        "lineage-caps",
        "lineage starts at no more than 101 nodes and goes no further than 100 hops, silently",
        "all nodes, all hops; a limit that was given is reported when it left something out",
        "an answer that silently lacks a part is wrong",
        "test_lineage_caps",
    ),
    Difference(
        "one-snapshot",
        "a lineage query and the look-ups around it are several transactions",
        "one; on Neo4j, which has no snapshots, what it returns fits together",
        "the parts of an answer fit together",
        "test_one_snapshot",
    ),
    Difference(
        "context-rpcs",
        "parents and children of several contexts are missing in process; GetLineageGraph is missing or UNIMPLEMENTED",
        "all three work, in process and on the server",
        "they are part of the service's definition",
        "test_context_rpcs",
    ),
    # --- the client and the server -----------------------------------------------------------------------------------
    Difference(
        "endless-retries",
        "an aborted call is made again without end if max_num_retries is 0",
        "it is not made again",
        "0 retries are none",
        "test_endless_retries",
    ),
    Difference(
        "server-address",
        "the server listens on 0.0.0.0",
        "on 127.0.0.1 unless told otherwise",
        "without tokens or TLS, whoever reaches the port may read and write",
        "test_server_address",
    ),
    Difference(
        "server-config-file",
        "a config file that the server cannot read is passed over without a word, and an empty database is served",
        "an error, and the server does not start",
        "the writes of that time would be lost",
        "test_server_config_file",
    ),
    Difference(
        "server-database",
        "the server opens its database anew for each call, so that an in-memory one is always empty",
        "one store for the life of the server",
        "what was put can be read",
        "test_server_database",
    ),
)


def markdown() -> str:
    """Return the table as docs/compatibility.md shows it; ``python -m tests.differential.differences`` prints it."""
    shown = {"native": "native API", "everywhere": "everywhere"}
    rows = [f"| {row.reference} | {row.ours} | {shown[row.where]} | {row.reason} |" for row in DIFFERENCES]
    return "\n".join(["| ML Metadata 1.17.1 | here | where | why |", "| --- | --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(markdown())
