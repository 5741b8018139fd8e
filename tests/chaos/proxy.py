"""A TCP proxy that cuts and stalls connections when it is told to."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

CHUNK = 65_536
LONGEST_STALL_S = 1.5


class Fault(Enum):
    """What happens to the connection on which the next request, or the next answer, comes."""

    IN_REQUEST = "cut in the middle of a request"
    BEFORE_ANSWER = "cut after a request, before its answer"
    IN_ANSWER = "cut in the middle of an answer"
    STALL = "an answer held up"
    SILENCE = "a connection that stays open, and nothing comes through any more"


CUTS = (Fault.IN_REQUEST, Fault.BEFORE_ANSWER, Fault.IN_ANSWER)


class _CutError(Exception):
    pass


class _Connection:
    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers
        self.is_doomed = False
        """Its next answer is not to arrive."""
        self.is_silent = False

    def close(self, *, reset: bool) -> None:
        for writer in self.writers:
            if reset:
                lying: socket.socket = writer.get_extra_info("socket")
                with suppress(OSError):
                    lying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()


class Proxy:
    """Between clients and a server at a port of this machine."""

    def __init__(self, target: int, rng: random.Random) -> None:
        self._target = target
        self._rng = rng
        self._next: Fault | None = None
        self._taken = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop
        ).result()
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def is_quiet(self) -> bool:
        """Whether no fault waits for its connection."""
        return self._next is None

    def strike(self, fault: Fault, *, within_s: float = 5.0) -> bool:
        """Let the next request or answer suffer this. False if none came in time."""
        self._taken.clear()
        self._next = fault
        if self._taken.wait(within_s):
            return True
        self._next = None
        return False

    # --- in the loop --------------------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        connection = _Connection(writer, server_writer)
        pumps = [
            asyncio.ensure_future(self._pump(reader, server_writer, connection, asks=True)),
            asyncio.ensure_future(self._pump(server_reader, writer, connection, asks=False)),
        ]
        reset = False
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            reset = any(isinstance(pump.exception(), _CutError) for pump in done) and self._rng.random() < 0.5
        finally:
            for pump in pumps:
                pump.cancel()
            connection.close(reset=reset)
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection, *, asks: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if connection.is_doomed and not asks:
                    raise _CutError
                fault = self._take(asks=asks)
                if fault in (Fault.IN_REQUEST, Fault.IN_ANSWER):
                    writer.write(data[: self._rng.randrange(len(data))])
                    await writer.drain()
                    raise _CutError
                connection.is_doomed |= fault is Fault.BEFORE_ANSWER
                connection.is_silent |= fault is Fault.SILENCE
                if fault is Fault.STALL:
                    await asyncio.sleep(self._rng.uniform(0, LONGEST_STALL_S))
                if not connection.is_silent:
                    writer.write(data)
                    await writer.drain()

    def _take(self, *, asks: bool) -> Fault | None:
        fault = self._next
        if fault is None or (fault in (Fault.IN_REQUEST, Fault.BEFORE_ANSWER)) is not asks:
            return None
        self._next = None
        self._taken.set()
        return fault

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
