"""What is served is what says so, at the method itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from lineage.api.served import NOT_SERVED, SERVED
from lineage.remote import connect
from lineage.server import Server
from lineage.store import Store
from lineage.v1.service import METHODS, SERVICE, Payload
from tests.server.conftest import failure


def silent_methods() -> set[str]:
    """The public methods that say neither that they are served nor that they are not."""
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert methods >= SERVED.keys() | NOT_SERVED.keys()
    return methods - SERVED.keys() - NOT_SERVED.keys()


def test_every_public_method_says_whether_it_is_served() -> None:
    assert not silent_methods()
    assert not SERVED.keys() & NOT_SERVED.keys()


def test_a_method_that_says_nothing_is_found_and_not_served(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export_html(self: Store, path: str) -> None:
        del self
        Path(path).write_text("<p>")

    monkeypatch.setattr(Store, "export_html", export_html, raising=False)
    assert silent_methods() == {"export_html"}
    server = serve()
    request: Any = Payload(json=f'{{"path": "{tmp_path / "page.html"}"}}')
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        call = channel.unary_unary(f"/{SERVICE}/ExportHtml", request_serializer=Payload.SerializeToString)
        assert failure(call, request).code() is grpc.StatusCode.UNIMPLEMENTED
    assert not list(tmp_path.iterdir())


def test_what_a_server_says_it_serves(serve: Callable[..., Server]) -> None:
    assert set(METHODS) == SERVED.keys()
    with connect(f"grpc://localhost:{serve().port}") as store:
        for name in SERVED:
            assert getattr(type(store), name) is not getattr(Store, name)
        for name in NOT_SERVED.keys() - {"as_of", "close"}:  # which a client does its own way
            assert getattr(type(store), name) is getattr(Store, name)
