"""Types: identity, evolution, base types, simple types, reads."""

from __future__ import annotations

import pytest

from lineage import (
    Artifact,
    ArtifactBaseType,
    ArtifactStructType,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionBaseType,
    ExecutionType,
    ProtoValue,
    Store,
)
from lineage.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, UnimplementedError
from lineage.model import PropertyType
from tests.conformance.world import contents, refused

A, B, C = ({name: int} for name in "abc")


def _type(name: str = "T", **fields: object) -> ArtifactType:
    return ArtifactType(**{"name": name, **fields})  # type: ignore[arg-type]  # a test may give whatever fields


# --- ids and simple types -------------------------------------------------------------------------------------------


def test_first_user_type_gets_id_10(store: Store) -> None:
    assert store.put_artifact_type(_type()) == 10


def test_simple_types_have_ids_1_to_9(store: Store) -> None:
    artifact_types = {each.id: each.name for each in store.get_artifact_types(include_simple=True)}
    execution_types = {each.id: each.name for each in store.get_execution_types(include_simple=True)}
    assert artifact_types == {1: "mlmd.Dataset", 2: "mlmd.Model", 3: "mlmd.Metrics", 4: "mlmd.Statistics"}
    assert execution_types == {
        5: "mlmd.Train",
        6: "mlmd.Transform",
        7: "mlmd.Process",
        8: "mlmd.Evaluate",
        9: "mlmd.Deploy",
    }
    assert store.get_context_types() == []


def test_simple_types_are_hidden_from_lists_and_found_by_name_and_id(store: Store) -> None:
    assert store.get_artifact_types() == []
    assert store.get_execution_types() == []
    assert store.get_artifact_type("mlmd.Model").id == 2
    assert [each.name for each in store.get_execution_types_by_id([9])] == ["mlmd.Deploy"]


def test_simple_types_are_hidden_by_name_whatever_the_kind_but_not_from_context_types(store: Store) -> None:
    store.put_artifact_type(_type("mlmd.Train"))
    store.put_execution_type(ExecutionType(name="mlmd.Model"))
    store.put_context_type(ContextType(name="mlmd.Dataset"))
    assert store.get_artifact_types() == []
    assert store.get_execution_types() == []
    assert [each.name for each in store.get_context_types()] == ["mlmd.Dataset"]
    assert "mlmd.Train" in [each.name for each in store.get_artifact_types(include_simple=True)]


def test_a_simple_type_can_be_used_and_extended(store: Store) -> None:
    [artifact_id] = store.put_artifacts([Artifact(type_id=1, uri="data")])
    assert store.get_artifacts_by_id([artifact_id])[0].type == "mlmd.Dataset"
    assert store.put_artifact_type(_type("mlmd.Dataset", properties=A), can_add_fields=True) == 1
    assert store.get_artifact_type("mlmd.Dataset").properties == {"a": PropertyType.INT}


def test_ids_of_types_are_one_sequence_for_all_kinds(store: Store) -> None:
    assert store.put_context_type(ContextType(name="T")) == 10
    assert store.put_execution_type(ExecutionType(name="T")) == 11
    assert store.put_artifact_type(_type()) == 12


def test_a_given_id_is_ignored(store: Store) -> None:
    assert store.put_artifact_type(_type(id=77)) == 10
    assert store.put_artifact_type(_type(id=78)) == 10
    assert store.get_artifact_types_by_id([77, 78], missing="skip") == []


# --- identity -------------------------------------------------------------------------------------------------------


def test_putting_the_same_type_again_returns_its_id(store: Store) -> None:
    given = _type(properties={"a": int, "b": str})
    assert store.put_artifact_type(given) == store.put_artifact_type(given) == 10
    assert len(store.get_artifact_types()) == 1


def test_each_version_is_a_type_of_its_own(store: Store) -> None:
    ids = [store.put_artifact_type(_type(version=version)) for version in (None, "1", "2")]
    assert ids == [10, 11, 12]
    assert store.get_artifact_type("T").version is None
    assert store.get_artifact_type("T", "2").id == 12
    assert [each.version for each in store.get_artifact_types()] == [None, "1", "2"]


def test_an_empty_version_is_no_version(store: Store) -> None:
    assert store.put_artifact_type(_type(version="")) == store.put_artifact_type(_type()) == 10
    assert store.get_artifact_type("T", "").version is None


def test_a_type_with_versions_only_is_not_found_without_version(store: Store) -> None:
    store.put_artifact_type(_type(version="1"))
    with refused(store, NotFoundError, "there is no artifact type 'T'; it exists as version '1'"):
        store.get_artifact_type("T")
    store.put_types(artifact_types=[_type("U"), _type("U", version="1")])
    with refused(store, NotFoundError, "type 'U' version '2'; it exists as no version, version '1'; put it with"):
        store.get_artifact_type("U", "2")


def test_a_name_means_another_type_in_each_kind(store: Store) -> None:
    store.put_types(
        artifact_types=[_type(properties=A)],
        execution_types=[ExecutionType(name="T", properties=B)],
        context_types=[ContextType(name="T", properties=C)],
    )
    assert store.get_artifact_type("T").properties.keys() == {"a"}
    assert list(store.get_execution_type("T").properties) == ["b"]
    assert list(store.get_context_type("T").properties) == ["c"]


def test_a_type_needs_a_name(store: Store) -> None:
    for given in (ArtifactType(), _type("")):
        with refused(store, InvalidArgumentError, "no type name is specified"):
            store.put_artifact_type(given)
    with refused(store, InvalidArgumentError, "no type name is specified"):
        store.put_types(artifact_types=[_type()], context_types=[ContextType()])


# --- properties and their evolution ---------------------------------------------------------------------------------


def test_every_property_type_is_stored(store: Store) -> None:
    declared = {"i": int, "d": float, "s": str, "b": bool, "st": dict, "l": list, "p": ProtoValue, "": "INT", "é.´`": 3}
    store.put_artifact_type(_type(properties=declared))
    assert {name: each.name for name, each in store.get_artifact_type("T").properties.items()} == {
        "i": "INT",
        "d": "DOUBLE",
        "s": "STRING",
        "b": "BOOLEAN",
        "st": "STRUCT",
        "l": "STRUCT",
        "p": "PROTO",
        "": "INT",
        "é.´`": "STRING",
    }


def test_a_property_of_unknown_type_is_refused_on_create_and_on_update(store: Store) -> None:
    unknown = _type(properties={"a": "UNKNOWN"})
    with refused(store, InvalidArgumentError, "property 'a' of type 'T' is UNKNOWN"):
        store.put_artifact_type(unknown)
    store.put_artifact_type(_type())
    with refused(store, InvalidArgumentError, "property 'a' of type 'T' is UNKNOWN"):
        store.put_artifact_type(unknown, can_add_fields=True)


@pytest.mark.parametrize("flags", [{}, {"can_add_fields": True}, {"can_add_fields": True, "can_omit_fields": True}])
def test_the_type_of_a_property_never_changes(store: Store, flags: dict[str, bool]) -> None:
    store.put_artifact_type(_type(properties=A))
    with refused(store, AlreadyExistsError, "type already exists with different properties"):
        store.put_artifact_type(_type(properties={"a": str}), **flags)


def test_can_add_fields_adds_properties(store: Store) -> None:
    store.put_artifact_type(_type(properties=A))
    more = _type(properties={**A, **B})
    with refused(store, AlreadyExistsError, "does not have 'b'; pass can_add_fields=True"):
        store.put_artifact_type(more)
    assert store.put_artifact_type(more, can_add_fields=True) == 10
    assert store.get_artifact_type("T").properties.keys() == {"a", "b"}


def test_can_omit_fields_leaves_properties_as_they_are(store: Store) -> None:
    store.put_artifact_type(_type(properties={**A, **B}))
    with refused(store, AlreadyExistsError, "also has 'a'; pass it too, or pass can_omit_fields=True"):
        store.put_artifact_type(_type(properties=B))
    assert store.put_artifact_type(_type(properties=B), can_omit_fields=True) == 10
    assert store.get_artifact_type("T").properties.keys() == {"a", "b"}


def test_replacing_one_property_by_another_needs_both_flags_and_keeps_both(store: Store) -> None:
    store.put_artifact_type(_type(properties=A))
    for flags in ({"can_add_fields": True}, {"can_omit_fields": True}):
        with refused(store, AlreadyExistsError, "type already exists with different properties"):
            store.put_artifact_type(_type(properties=B), **flags)
    store.put_artifact_type(_type(properties=B), can_add_fields=True, can_omit_fields=True)
    assert store.get_artifact_type("T").properties.keys() == {"a", "b"}


def test_a_property_added_later_can_be_used_by_nodes_that_exist(store: Store) -> None:
    store.put_artifact_type(_type(properties=A))
    [artifact_id] = store.put_artifacts([Artifact(type="T", properties={"a": 1})])
    store.put_artifact_type(_type(properties={**A, **B}), can_add_fields=True)
    store.put_artifacts([Artifact(id=artifact_id, properties={"a": 1, "b": 2})])
    assert store.get_artifacts_by_id([artifact_id])[0].properties == {"a": 1, "b": 2}


def test_description_and_input_and_output_types_are_fixed_at_creation(store: Store) -> None:
    anything, nothing = ArtifactStructType(any=True), ArtifactStructType(none=True)
    first = ExecutionType(name="T", description="first", input_type=anything, output_type=nothing)
    store.put_execution_type(first)
    store.put_execution_type(ExecutionType(name="T", description="second", input_type=nothing, output_type=anything))
    found = store.get_execution_type("T")
    assert (found.description, found.input_type, found.output_type) == ("first", anything, nothing)


def test_every_field_of_a_type_is_read_back(store: Store) -> None:
    struct = ArtifactStructType.model_validate(
        {
            "dict": {
                "properties": {
                    "one": {"simple": {"name": "DataSet", "properties": {"a": "INT"}}},
                    "many": {"list": {"any": True}},
                    "pair": {"tuple": [{"none": True}, {"any": True}]},
                    "some": {"union_type": [{"any": True}]},
                    "both": {"intersection": [{"any": True}]},
                },
                "none_type_not_required": True,
                "extra_properties_type": {"none": True},
            }
        }
    )
    given = ExecutionType(
        name="T",
        version="v",
        description="d",
        external_id="e",
        properties={"a": int},
        base_type="TRAIN",
        input_type=struct,
        output_type=ArtifactStructType(any=True),
    )
    type_id = store.put_execution_type(given)
    assert store.get_execution_type("T", "v") == given.model_copy(update={"id": type_id})


# --- external ids ---------------------------------------------------------------------------------------------------


def test_an_external_id_is_overwritten_by_another_and_kept_when_left_out_or_empty(store: Store) -> None:
    for given, expected in ((None, None), ("one", "one"), (None, "one"), ("", "one"), ("two", "two")):
        store.put_artifact_type(_type() if given is None else _type(external_id=given))
        assert store.get_artifact_type("T").external_id == expected
    assert [each.name for each in store.get_artifact_types_by_external_ids(["two"])] == ["T"]
    with refused(store, NotFoundError, "there is no artifact type with external id 'one'"):
        store.get_artifact_types_by_external_ids(["one"])


def test_an_external_id_is_unique_among_types_of_all_kinds(store: Store) -> None:
    store.put_artifact_type(_type(external_id="taken"))
    with refused(store, AlreadyExistsError, "conflict of external_id: 'taken'"):
        store.put_artifact_type(_type("Other", external_id="taken"))
    with refused(store, AlreadyExistsError, "conflict of external_id: 'taken'"):
        store.put_context_type(ContextType(name="Other", external_id="taken"))
    store.put_execution_type(ExecutionType(name="Other"))
    with refused(store, AlreadyExistsError, "conflict of external_id: 'taken'"):
        store.put_execution_type(ExecutionType(name="Other", external_id="taken"))


def test_an_empty_external_id_given_at_creation_is_one(store: Store) -> None:
    store.put_artifact_type(_type(external_id=""))
    with refused(store, AlreadyExistsError, "conflict of external_id: ''"):
        store.put_artifact_type(_type("Other", external_id=""))


# --- base types -----------------------------------------------------------------------------------------------------


def test_a_base_type_is_given_at_creation_or_later_and_stays(store: Store) -> None:
    store.put_artifact_type(_type(base_type="MODEL"))
    store.put_execution_type(ExecutionType(name="T"))
    store.put_execution_type(ExecutionType(name="T", base_type="TRAIN"))
    store.put_artifact_type(_type())
    store.put_execution_type(ExecutionType(name="T"))
    assert store.get_artifact_type("T").base_type is ArtifactBaseType.MODEL
    assert store.get_execution_type("T").base_type is ExecutionBaseType.TRAIN
    assert store.get_artifact_types_by_id([10])[0].base_type is ArtifactBaseType.MODEL
    assert store.get_artifact_types()[0].base_type is ArtifactBaseType.MODEL


def test_a_base_type_cannot_change(store: Store) -> None:
    store.put_artifact_type(_type(base_type="MODEL"))
    with refused(store, UnimplementedError, "base_type update is not supported"):
        store.put_artifact_type(_type(base_type="DATASET"))


def test_a_simple_type_cannot_extend_itself_directly_or_through_another(store: Store) -> None:
    with refused(store, InvalidArgumentError, "there is a cycle"):
        store.put_artifact_type(_type("mlmd.Dataset", base_type="DATASET"))
    assert store.put_artifact_type(_type("mlmd.Dataset", base_type="MODEL")) == 1
    with refused(store, InvalidArgumentError, "there is a cycle"):
        store.put_artifact_type(_type("mlmd.Model", base_type="DATASET"))
    assert store.put_artifact_type(_type("Images", base_type="DATASET")) == 10


def test_a_base_type_cannot_be_deleted(store: Store) -> None:
    with refused(store, UnimplementedError, "base_type deletion is not supported"):
        store.put_types(artifact_types=[_type("First"), _type(base_type="UNSET")])
    with refused(store, UnimplementedError, "base_type deletion is not supported"):
        store.put_context_type(ContextType(name="T", base_type="UNSET"))
    store.put_execution_type(ExecutionType(name="T", base_type="TRAIN"))
    with refused(store, UnimplementedError, "base_type deletion is not supported"):
        store.put_execution_type(ExecutionType(name="T", base_type="UNSET"))


# --- many at once ---------------------------------------------------------------------------------------------------


def test_put_types_numbers_artifact_then_execution_then_context_types(store: Store) -> None:
    result = store.put_types(
        context_types=[ContextType(name="C")],
        execution_types=[ExecutionType(name="E")],
        artifact_types=[_type("A"), _type("B"), _type("A")],
    )
    assert result == ([10, 11, 10], [12], [13])
    assert result.execution_type_ids == [12]


def test_put_types_stores_all_or_none(store: Store) -> None:
    store.put_context_type(ContextType(name="C", properties=A))
    with refused(store, AlreadyExistsError, "type already exists with different properties"):
        store.put_types(
            artifact_types=[_type("New")],
            execution_types=[ExecutionType(name="New")],
            context_types=[ContextType(name="New"), ContextType(name="C", properties={"a": str})],
        )


def test_put_types_compares_with_what_was_stored_before_the_call(store: Store) -> None:
    """``{a}, {a, b}, {a, c}`` with ``can_add_fields`` alone is accepted, and ends as ``{a, b, c}``."""
    given = [_type(properties=A), _type(properties={**A, **B}), _type(properties={**A, **C})]
    assert store.put_types(artifact_types=given, can_add_fields=True).artifact_type_ids == [10, 10, 10]
    assert store.get_artifact_type("T").properties.keys() == {"a", "b", "c"}


def test_two_of_one_call_cannot_differ_in_a_new_property(store: Store) -> None:
    """Neither was stored before the call, so only a comparison with each other sees it."""
    with refused(store, AlreadyExistsError, "has 'a' as INT, not STRING"):
        store.put_types(
            artifact_types=[_type(), _type(properties=A), _type(properties={"a": str})], can_add_fields=True
        )
    store.put_artifact_type(_type())
    with refused(store, AlreadyExistsError, "has 'a' as INT, not STRING"):
        store.put_types(artifact_types=[_type(properties=A), _type(properties={"a": str})], can_add_fields=True)


def test_put_no_types(store: Store) -> None:
    before = contents(store)
    assert store.put_types() == ([], [], [])
    assert contents(store) == before


# --- reads ----------------------------------------------------------------------------------------------------------


def test_an_unknown_type_is_not_found_and_near_names_are_shown(store: Store) -> None:
    store.put_types(
        artifact_types=[_type("Model")],
        execution_types=[ExecutionType(name="Trainer")],
        context_types=[ContextType(name="Pipeline")],
    )
    with refused(store, NotFoundError, "did you mean 'Model'?"):
        store.get_artifact_type("Modle")
    with refused(store, NotFoundError, "did you mean 'Trainer'"):
        store.get_execution_type("Trainr")
    with refused(store, NotFoundError, "did you mean 'Pipeline'?"):
        store.get_context_type("pipeline")
    with refused(store, NotFoundError, "there is no artifact type 'Model' version '9'"):
        store.get_artifact_type("Model", "9")


def test_types_by_id_come_as_asked_for(store: Store) -> None:
    store.put_types(
        artifact_types=[_type("A"), _type("B")],
        execution_types=[ExecutionType(name="E")],
        context_types=[ContextType(name="C")],
    )
    assert [each.name for each in store.get_artifact_types_by_id([11, 10, 11])] == ["B", "A", "B"]
    assert [each.name for each in store.get_execution_types_by_id([12, 10], missing="skip")] == ["E"]
    with refused(store, NotFoundError, "there is no context type with id 12; pass missing='skip'"):
        store.get_context_types_by_id([13, 12])
    assert store.get_artifact_types_by_id([]) == []


def test_types_by_external_ids(store: Store) -> None:
    store.put_types(
        artifact_types=[_type("A", external_id="a"), _type("B")],
        execution_types=[ExecutionType(name="E", external_id="e")],
        context_types=[ContextType(name="C", external_id="c")],
    )
    assert [each.name for each in store.get_artifact_types_by_external_ids(["a", "?"], missing="skip")] == ["A"]
    assert [each.name for each in store.get_execution_types_by_external_ids(["e"])] == ["E"]
    assert [each.name for each in store.get_context_types_by_external_ids(["c"])] == ["C"]
    assert store.get_artifact_types_by_external_ids([]) == []
    store.put_artifact_type(_type("B", external_id="b"))
    assert [each.name for each in store.get_artifact_types_by_external_ids(["b", "a"])] == ["B", "A"]
    with refused(store, NotFoundError, "there is no context type with external id 'a'"):
        store.get_context_types_by_external_ids(["a"])
    with refused(store, InvalidArgumentError, "at least one empty external_id exists"):
        store.get_execution_types_by_external_ids(["e", ""])


@pytest.mark.parametrize(("count", "more"), [(9, ""), (10, ""), (11, " and 1 more"), (13, " and 3 more")])
def test_at_most_ten_unknown_external_ids_are_named_and_the_others_counted(store: Store, count: int, more: str) -> None:
    wanted = [f"x{number}" for number in range(count)]
    with pytest.raises(NotFoundError) as caught:
        store.get_artifact_types_by_external_ids(wanted)
    named = ", ".join(repr(each) for each in wanted[:10])
    assert str(caught.value).startswith(f"there is no artifact type with external id {named}{more}; pass missing=")


def test_lists_of_types_come_by_id(store: Store) -> None:
    store.put_types(artifact_types=[_type("Z"), _type("A")], context_types=[ContextType(name="Z")])
    assert [each.id for each in store.get_artifact_types()] == [10, 11]
    assert [each.id for each in store.get_context_types()] == [12]


def test_nodes_name_a_versioned_type_by_its_id(store: Store) -> None:
    plain, versioned = store.put_artifact_type(_type()), store.put_artifact_type(_type(version="1", properties=A))
    ids = store.put_artifacts(
        [Artifact(type="T", name="n"), Artifact(type_id=versioned, name="n", properties={"a": 1})]
    )
    assert [each.type_id for each in store.get_artifacts_by_id(ids)] == [plain, versioned]
    assert [each.type for each in store.get_artifacts_by_id(ids)] == ["T", "T"]
    assert [each.id for each in store.get_artifacts_by_type("T", "1")] == [ids[1]]


def test_a_type_of_the_wrong_kind_is_not_found(store: Store) -> None:
    store.put_execution_type(ExecutionType(name="E"))
    with refused(store, NotFoundError, "no type found for query"):
        store.put_artifacts([Artifact(type_id=10)])
    with refused(store, NotFoundError, "no type found for query"):
        store.put_contexts([Context(type="E", name="c")])
    with refused(store, NotFoundError, "no type found for query"):
        store.put_executions([Execution(type_id=1)])
