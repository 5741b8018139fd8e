"""The proxy cuts where it says, and interrupts come within the call that they are meant for."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.interrupts import INTERRUPTS, Interrupts
from tests.chaos.proxy import Fault, Proxy

REQUEST = b"x" * 1000


@pytest.fixture
def heard() -> list[bytes]:
    """What the server received."""
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[Proxy]:
    """A proxy to a server that answers each request of 1,000 bytes with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(client: socket.socket) -> None:
            received = 0
            with client, suppress(OSError):
                while data := client.recv(65_536):
                    heard.append(data)
                    received += len(data)
                    if received % len(REQUEST) == 0:
                        client.sendall(REQUEST)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        with Proxy(listener.getsockname()[1], random.Random(1)) as between:
            yield between
        listener.shutdown(socket.SHUT_RDWR)


def ask(proxy: Proxy, *, patience_s: float = 30.0) -> bytes:
    """Send a request, and return what comes until the connection ends or so long passes without a word."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=patience_s) as client:
        client.sendall(REQUEST)
        received = b""
        with suppress(OSError):
            while len(received) < len(REQUEST) and (data := client.recv(65_536)):
                received += data
        return received


@pytest.mark.parametrize(
    ("fault", "server_hears_all", "client_hears_none"),
    [(Fault.IN_REQUEST, False, True), (Fault.BEFORE_ANSWER, True, True), (Fault.IN_ANSWER, True, False)],
)
def test_cuts(proxy: Proxy, heard: list[bytes], fault: Fault, server_hears_all: bool, client_hears_none: bool) -> None:
    assert ask(proxy) == REQUEST
    heard.clear()
    struck: list[bool] = []
    striking = threading.Thread(target=lambda: struck.append(proxy.strike(fault)))
    striking.start()
    while proxy.is_quiet:
        time.sleep(0.001)
    answer = ask(proxy)
    striking.join()
    assert struck == [True]
    assert len(answer) < len(REQUEST)
    if client_hears_none:
        assert answer == b""
    until = time.monotonic() + (30 if server_hears_all else 0.1)  # what it was sent arrives
    while sum(map(len, heard)) < len(REQUEST) and time.monotonic() < until:
        time.sleep(0.001)
    assert (sum(map(len, heard)) == len(REQUEST)) is server_hears_all
    assert ask(proxy) == REQUEST, "the next connection is as before"


def test_silence(proxy: Proxy) -> None:
    striking = threading.Thread(target=proxy.strike, args=(Fault.SILENCE,))
    striking.start()
    while proxy.is_quiet:
        time.sleep(0.001)
    assert ask(proxy, patience_s=0.5) == b""
    striking.join()
    assert ask(proxy) == REQUEST


def test_nothing_comes_and_nothing_is_struck(proxy: Proxy) -> None:
    assert not proxy.strike(Fault.IN_REQUEST, within_s=0.01)
    assert ask(proxy) == REQUEST


def test_interrupts_come_within_the_call() -> None:
    calm = Interrupts(random.Random(1), share=0.5)
    came = {kind.__name__: 0 for kind in INTERRUPTS}

    def call() -> int:
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            time.sleep(0.0001)  # as one that waits for a server
        return 1

    for _ in range(300):
        try:
            assert calm.run(call) == 1
        except INTERRUPTS as error:
            came[type(error).__name__] += 1
        time.sleep(0)  # an exception that came too late would come here, and end the test
    assert min(came.values()) > 3, came
