"""Something between a client and the server that loses answers, or falls silent, when a test says so."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

_PORTS = {"bolt": 7687, "neo4j": 7687, "mysql": 3306, "postgresql": 5432}


class Between:
    """Forwards what comes to its own port. `url` is how a store is opened through it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "localhost", parts.port or _PORTS[parts.scheme])
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        place = f"{login}127.0.0.1:{self._listener.getsockname()[1]}"
        is_neo4j = parts.scheme in ("bolt", "neo4j")
        self.url = f"bolt://{place}" if is_neo4j else f"{parts.scheme}://{place}{parts.path}"
        self.lose_next_answer = False
        """The next answer does not arrive: the client's connection is cut, and the server's stays as it is."""
        self.lost = Event()
        self.is_silent = False
        """Nothing comes through, and no connection is closed."""
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._listener)
        for each in self._sockets:
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                Thread(target=self._requests, args=(client, server), daemon=True).start()
                Thread(target=self._answers, args=(client, server), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.lose_next_answer:
                    self.lose_next_answer = False
                    server.sendall(data)
                    _end(client)
                    self.lost.set()
                    return  # the server goes on: nobody tells it
                if not self.is_silent:
                    server.sendall(data)
            _end(server)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if not self.is_silent:
                    client.sendall(data)
            _end(client)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
