"""Texts that are no text, or very long, are refused in few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lineage
from lineage import Artifact, LineageError
from lineage.errors import InvalidArgumentError
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service import Service, request_class

rpc: Any = metadata_store_service_pb2
LONG = "x" * 10**6
LONG_OPTION: dict[str, Any] = {LONG: 1}


@pytest.mark.parametrize("name", ["GetArtifacts", "GetExecutions", "GetContexts"])
@pytest.mark.parametrize("token", [b"ab\xff\xfe", b"\xed\xa0\x80a", b"????", b"xxxxxxxxxx"])
def test_a_page_token_that_is_none(name: str, token: bytes) -> None:
    content = request_class(name)(options={"max_result_size": 1, "next_page_token": "A" * len(token)})
    try:
        request = request_class(name).FromString(content.SerializeToString().replace(b"A" * len(token), token))
    except UnicodeDecodeError:  # protobuf in pure Python, where the server's own reading refuses it
        return
    with lineage.open_store("memory:") as store, pytest.raises(InvalidArgumentError):
        Service(store).call(name, request)


CALLS: list[Callable[[lineage.Store], Any]] = [
    lambda store: store.get_artifact_type(LONG),
    lambda store: store.get_artifact_type("mlmd.Dataset", LONG),
    lambda store: store.put_artifacts([Artifact(type=LONG)]),
    lambda store: store.put_artifacts([Artifact(type_id=1, properties={LONG: 1})]),
    lambda store: store.get_artifacts_by_external_ids([LONG, *map(str, range(1000))]),
    lambda store: store.list_artifacts(order_by=LONG),
    lambda store: store.list_artifacts(page_token=LONG),
    lambda store: store.create_property_index("a", LONG),
    lambda _: lineage.open_store("memory:", **LONG_OPTION),
    lambda _: lineage.open_store("grpc://localhost:1", **LONG_OPTION),
    lambda _: lineage.open_store(f"{LONG}:"),
    lambda _: lineage.open_store(LONG),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_an_error_is_short_however_long_what_is_wrong(number: int) -> None:
    with lineage.open_store("memory:") as store, pytest.raises(LineageError) as raised:
        CALLS[number](store)
    assert len(str(raised.value)) < 4000


def test_a_property_to_index_has_a_name_that_is_text() -> None:
    with (
        lineage.open_store("memory:") as store,
        pytest.raises(InvalidArgumentError, match="a property's name is no text"),
    ):
        store.create_property_index("\ud800")
