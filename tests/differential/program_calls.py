"""One call made on both sides, and what comes of it in a form that compares exactly."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import lineage
from backends.memory import open_backend
from lineage import LineageError, Store
from lineage.api.units import BackendUnits
from lineage.errors import NotFoundError
from lineage.mlmd.service.lenient import LenientStore
from lineage.model import Record
from lineage.reading.graph import LineageGraph
from lineage.server import Server, ServerOptions
from tests.differential.reference import (
    MAX_PAGE,
    Reference,
    ReferenceClient,
    StepClock,
    new_reference,
    reference_errors,
)


@dataclass(frozen=True)
class Call:
    """A method of :class:`Ours` and of :class:`~tests.differential.reference.Reference`, and its arguments."""

    method: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        return self.method.startswith("put_")

    def __str__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.options.items())]
        return f"{self.method}({', '.join(given)})"


@dataclass(frozen=True)
class Outcome:
    """What a call returned, in comparable form, or the status of its error."""

    value: Any = None
    code: int = 0
    message: str = ""
    result: Any = None
    """The value as it was returned."""

    def __str__(self) -> str:
        return f"error {self.code}: {self.message}" if self.code else repr(self.result)

    def agrees_with(self, other: Outcome) -> bool:
        return (self.code, self.value) == (other.code, other.value)


class Ours:
    """Our store, with the methods of a kind under one name, and lists by page, as the reference has them."""

    def __init__(self, store: Store) -> None:
        self.store = LenientStore(store)  # see differences: given-ignored

    def __getattr__(self, method: str) -> Any:
        return getattr(self.store, method)  # what both have under one name

    def put_execution(self, *args: Any, **options: Any) -> Any:
        return self.store.put_execution(*args, **_updating(options))

    def put_lineage_subgraph(self, *args: Any, **options: Any) -> Any:
        return self.store.put_lineage_subgraph(*args, **_updating(options))

    def _of(self, kind: str, method: str) -> Any:
        return getattr(self.store, method.format(kind.lower()))

    def get_type(self, kind: str, name: str, version: str | None = None) -> Any:
        return self._of(kind, "get_{}_type")(name, version)

    def get_types(self, kind: str) -> list[Any]:
        return [
            _without(each, "external_id") for each in self._of(kind, "get_{}_types")()
        ]  # see differences: type-fields

    def get_types_by_id(self, kind: str, type_ids: Sequence[int]) -> Any:
        return self._of(kind, "get_{}_types_by_id")(type_ids, missing="skip")

    def get_types_by_external_ids(self, kind: str, external_ids: Sequence[str]) -> list[Any]:
        found = self._by_external_ids(self._of(kind, "get_{}_types_by_external_ids"), external_ids)
        return [_without(each, "base_type", "input_type", "output_type") for each in found]  # see type-fields

    def get_by_id(self, kind: str, ids: Sequence[int]) -> Any:
        return self._of(kind, "get_{}s_by_id")(sorted(set(ids)), missing="skip")

    def get_by_external_ids(self, kind: str, external_ids: Sequence[str]) -> Any:
        return self._by_external_ids(self._of(kind, "get_{}s_by_external_ids"), external_ids)

    def _by_external_ids(self, get: Any, external_ids: Sequence[str]) -> list[Any]:
        """MLMD gives each once, by id, and an error if there is none at all."""
        found = get(list(dict.fromkeys(external_ids)), missing="skip")
        if external_ids and not found:
            raise NotFoundError("none of them")
        return sorted(found, key=lambda each: each.id)

    def get_by_type(self, kind: str, type_name: str, type_version: str | None = None) -> Any:
        with suppress(NotFoundError):  # MLMD has no nodes of a type that there is not
            return self._of(kind, "get_{}s_by_type")(type_name, type_version)
        return []

    def get_by_type_and_name(self, kind: str, type_name: str, name: str, type_version: str | None = None) -> Any:
        with suppress(NotFoundError):  # as above
            return self._of(kind, "get_{}_by_type_and_name")(type_name, name, type_version)
        return None

    def list_page(
        self, kind: str, where: str | None = None, *, limit: int = MAX_PAGE, **options: Any
    ) -> tuple[list[Any], str | None]:
        try:
            page = self._of(kind, "list_{}s")(where, limit=limit, **options)
        except NotFoundError:  # as above
            return [], None
        return list(page), page.next_page_token


def _updating(options: dict[str, Any]) -> dict[str, Any]:
    """MLMD updates what it reuses."""
    name = "reuse_artifact_if_already_exist_by_external_id"
    return {**options, name: "update"} if options.get(name) else options


def _without(record: Any, *names: str) -> Any:
    return record.replace_trusted(**{name: None for name in names if name in type(record).model_fields})


class Side:
    """One of the two, with the lists that are begun on it."""

    def __init__(self, api: Ours | Reference) -> None:
        self.api = api
        self._begun: dict[int, tuple[tuple[Any, ...], dict[str, Any], str | None]] = {}

    def perform(self, call: Call) -> Outcome:
        own: dict[str, Any] = {"walk": self._walk, "begin_list": self._begin_list, "continue_list": self._continue_list}
        method = own.get(call.method) or getattr(self.api, call.method)
        try:
            result = method(*call.args, **call.options)
        except LineageError as error:
            return Outcome(code=error.code, message=error.message)
        except reference_errors.StatusError as error:
            return Outcome(code=error.error_code, message=error.message)
        except Exception as error:  # noqa: BLE001  # one that is no error of the API is a finding like others
            return Outcome(code=-1, message=repr(error))
        return Outcome(value=comparable(result), result=result)

    def _walk(self, kind: str, where: str | None, *, limits: Sequence[int], **options: Any) -> list[list[Any]]:
        """Read all pages, the first with the first limit, and so on in turn."""
        pages: list[list[Any]] = []
        token: str | None = None
        while not pages or token is not None:
            limit = limits[len(pages) % len(limits)]
            page, token = self.api.list_page(kind, where, limit=limit, page_token=token, **options)
            pages.append(page)
            assert len(pages) < 1000, "the walk does not end"
        return pages

    def _begin_list(self, slot: int, kind: str, where: str | None, **options: Any) -> list[Any]:
        page, token = self.api.list_page(kind, where, **options)
        self._begun[slot] = ((kind, where), options, token)
        return page

    def _continue_list(self, slot: int, **changes: Any) -> list[Any] | None:
        """Go on with a list after other calls; with other options, if given."""
        args, options, token = self._begun.get(slot, ((), {}, None))
        if token is None:
            return None
        page, token = self.api.list_page(*args, **{**options, **changes, "page_token": token})
        self._begun[slot] = (args, options, token)
        return page


class Pair:
    """An empty store on each side, and a clock for both."""

    def __init__(self) -> None:
        self.clock = StepClock()
        self.reference = Side(new_reference(self.clock))
        self.store = Store(BackendUnits(open_backend("memory:"), clock=self.clock))
        self.ours = Side(Ours(self.store))

    def perform(self, call: Call) -> tuple[Outcome, Outcome]:
        """Return the outcome of the reference and ours."""
        if call.is_write:
            self.clock.advance()
        expected, actual = self.reference.perform(call), self.ours.perform(call)
        if call.method == "walk" and self.clock.has_wide_window:
            expected, actual = _by_step(expected), _by_step(actual)
        if call.method in _UNORDERED:
            expected, actual = _sorted(expected), _sorted(actual)
        return _as_ours(expected), actual

    def whole_store(self) -> list[Call]:
        """Return the calls that read everything that is stored."""
        kinds = ("Artifact", "Execution", "Context")
        ids = {kind: [node.id for node in getattr(self.store, f"list_{kind.lower()}s")().nodes] for kind in kinds}
        return [
            *(Call("get_types", (kind,)) for kind in kinds),
            *(Call("get_types_by_id", (kind, tuple(range(1, 100)))) for kind in kinds),
            *(Call("list_page", (kind,)) for kind in kinds),
            Call("get_events_by_execution_ids", (ids["Execution"],)),
            Call("get_events_by_artifact_ids", (ids["Artifact"],)),
            *(
                Call(f"get_{what}_by_context", (context_id,))
                for context_id in ids["Context"]
                for what in ("artifacts", "executions", "parent_contexts")
            ),
        ]


@contextmanager
def served_pair() -> Generator[Pair]:
    """A pair whose calls to us are made by the reference's own client, to our server."""
    pair = Pair()
    with pair.store, Server(pair.store, ServerOptions(port=0, threads=2, reflection=False)) as server:
        pair.ours = Side(ReferenceClient(pair.clock, server.port))
        yield pair


_UNORDERED = frozenset(
    {
        "get_artifacts_by_uris",
        "get_events_by_artifact_ids",
        "get_events_by_execution_ids",
        "get_types_by_external_ids",
    }
)
"""Reads whose order the reference leaves open, and which comes from an index of its database."""


def _sorted(outcome: Outcome) -> Outcome:
    return Outcome(sorted(outcome.value, key=repr), result=outcome.result) if not outcome.code else outcome


def _by_step(outcome: Outcome) -> Outcome:
    """Forget where pages end, and the order within one write: the reference's clock may have moved on meanwhile."""
    if outcome.code:
        return outcome
    nodes = [node for page in outcome.result for node in page]
    return Outcome(
        comparable(sorted(nodes, key=lambda node: (node.last_update_time_ms, node.id))), result=outcome.result
    )


def _as_ours(outcome: Outcome) -> Outcome:
    """Return the reference's outcome with the status that we give it (differences: unique-clash, reuse-clash)."""
    misnamed = {
        lineage.errors.InternalError.code: "UNIQUE constraint failed",
        lineage.errors.AbortedError.code: "Concurrent creation of the same context",
    }
    if outcome.code in misnamed and misnamed[outcome.code] in outcome.message:
        return Outcome(code=lineage.errors.AlreadyExistsError.code, message=outcome.message)
    return outcome


# --- comparable values -----------------------------------------------------------------------------------------------


def comparable(value: Any) -> Any:
    """Return plain lists, tuples and strings that are equal only if the values are the same, with their types."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Record):
        fields = {name: each for name, each in value.__dict__.items() if each is not None and each != {}}
        return (type(value).__name__, {name: _field(name, each) for name, each in fields.items()})
    if isinstance(value, LineageGraph):
        return {name: comparable(each) for name, each in vars(value).items() if name not in ("hops", "is_cut")}
    if isinstance(value, (list, tuple)):
        return [comparable(each) for each in value]
    if isinstance(value, Mapping):
        return {key: comparable(each) for key, each in value.items()}
    return (type(value).__name__, repr(value))


def _field(name: str, value: Any) -> Any:
    if name in ("properties", "custom_properties"):
        return {key: _property(each) for key, each in value.items()}
    return comparable(value)


def _property(value: Any) -> Any:
    return ("struct", _json(value)) if isinstance(value, (dict, list)) else comparable(value)


def _json(value: Any) -> Any:
    """A struct's numbers are doubles in a ``google.protobuf.Struct``."""
    if isinstance(value, dict):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return comparable(float(value))
    return comparable(value)
