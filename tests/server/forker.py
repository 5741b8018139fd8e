"""A process that forks while its threads make calls: `python -m tests.server.forker URL WAY FORKS`.

It prints, as JSON, the ids of what its children put, and what went wrong. It is a process of its own because gRPC gets
through a fork only where it was told so before it was imported.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import lineage
from lineage import Artifact, ArtifactType

EACH = 5
AT_ONCE = 4
TAKES_S = 60.0


class Native:
    """By `lineage.open_store`."""

    def __init__(self, url: str) -> None:
        self.store = lineage.open_store(url, timeout_s=TAKES_S)

    def put_type(self) -> None:
        self.store.put_artifact_type(ArtifactType(name="Data"))

    def put(self, name: str) -> int:
        [artifact_id] = self.store.put_artifacts([Artifact(type="Data", name=name)])
        return artifact_id

    def name(self, artifact_id: int) -> str | None:
        return self.store.get_artifacts_by_id([artifact_id])[0].name


class Mlmd:
    """By `lineage.mlmd`, over MLMD's protocol."""

    def __init__(self, url: str) -> None:
        from lineage import mlmd
        from lineage.mlmd.proto import metadata_store_pb2

        self.pb: Any = metadata_store_pb2
        self.store = mlmd.MetadataStore(f"{url}?timeout_s={TAKES_S:g}")
        self.type_id = 0

    def put_type(self) -> None:
        self.type_id = self.store.put_artifact_type(self.pb.ArtifactType(name="Data"))

    def put(self, name: str) -> int:
        [artifact_id] = self.store.put_artifacts([self.pb.Artifact(type_id=self.type_id, name=name)])
        return int(artifact_id)

    def name(self, artifact_id: int) -> str | None:
        found: Any = self.store.get_artifacts_by_id([artifact_id])[0]
        return str(found.name)


def work(sender: Any, client: Native | Mlmd, child: int) -> None:
    """Put artifacts and read each back, as a child of the process that opened the store."""
    try:
        ids: list[int] = []
        for number in range(EACH):
            ids.append(client.put(f"{child}/{number}"))
            found = client.name(ids[-1])
            assert found == f"{child}/{number}", found
        sender.send(ids)
    except BaseException as error:
        sender.send(repr(error))
        raise


def children(client: Native | Mlmd, forks: int) -> Iterator[Any]:
    """Fork children, a few at a time; yield what each tells."""
    context: Any = multiprocessing.get_context("fork")
    for first in range(0, forks, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, forks))
        pipes = [context.Pipe(duplex=False) for _ in numbers]
        processes = [
            context.Process(target=work, args=(sender, client, number))
            for number, (_, sender) in zip(numbers, pipes, strict=True)
        ]
        for process in processes:
            process.start()
        until_s = time.monotonic() + TAKES_S
        for receiver, _ in pipes:
            yield receiver.recv() if receiver.poll(max(0.0, until_s - time.monotonic())) else "nothing: it hangs"
        for process in processes:
            process.join(1)
            process.kill()


def main(url: str, way: str, forks: int) -> None:
    ways: dict[str, Callable[[str], Native | Mlmd]] = {"native": Native, "mlmd": Mlmd}
    client = ways[way](url)
    client.put_type()
    first = client.put("of the parent")
    stop, wrong = threading.Event(), list[str]()
    asked = [0, 0, 0]

    def ask(number: int) -> None:
        try:
            while not stop.is_set():
                assert client.name(first) == "of the parent"
                asked[number] += 1
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test shows it
            wrong.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    told = list(children(client, forks))
    stop.set()
    for thread in threads:
        thread.join()
    client.store.close()
    ids = [artifact_id for each in told if isinstance(each, list) for artifact_id in each]
    wrong += [each for each in told if not isinstance(each, list)]
    json.dump({"ids": ids, "asked": min(asked), "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
