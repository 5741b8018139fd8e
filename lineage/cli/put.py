"""``lineage put``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.cli import output, stores
from lineage.cli.ls import positive
from lineage.errors import InvalidArgumentError, LineageError, short_repr

if TYPE_CHECKING:
    from lineage.model import Node, NodeKind
    from lineage.store import Store
    from lineage.writing.composites import EventEdge

__all__ = ["add_arguments", "run"]

_BATCH = 1000
_DESCRIPTION = f"""\
Put artifacts, executions, contexts and events, one a line, as JSON, and print the address of each node.

  lineage put --types types.json records.jsonl
  lineage put records.jsonl --store runs/lineage.db | lineage show -
  lineage ls -o jsonl --store old.db | lineage put --types types.json --store new.db -

A line names what it is, and has the fields of `lineage ls -o jsonl`:

  {{"artifact": {{"type": "DataSet", "name": "iris", "uri": "data/iris.csv"}}, "contexts": ["Run/run-1"]}}
  {{"execution": {{"type": "Trainer", "name": "train-1", "last_known_state": "COMPLETE"}}, "contexts": ["Run/run-1"]}}
  {{"event": {{"type": "INPUT", "artifact": "DataSet/iris", "execution": "Trainer/train-1", "path": ["data", 0]}}}}
  {{"context": {{"type": "Run", "name": "run-1"}}}}

An event's ends are addresses (artifact/17), types and names (DataSet/iris), names, external ids, or the "key" that a
line before gave: {{"artifact": {{...}}, "key": "a1"}}. "contexts" hold a node, and are made where needed.
An artifact with the external id of one that is there is that one, and stays as it is.

Lines go in batches of {_BATCH} (--batch), each as a whole or not at all. Where a line has other contexts, a batch ends.
A wrong line is named; its batch is not put, those before it are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="(default: -, standard input)")
    parser.add_argument(
        "--types", metavar="FILE", help="put the types of this JSON file first (README: Types from JSON)"
    )
    parser.add_argument(
        "--batch", type=positive, default=_BATCH, metavar="N", help=f"lines a batch (default: {_BATCH})"
    )
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Put. Returns 3 if there was no line."""
    from lineage.store import open_store

    with open_store(stores.store_url(arguments)) as store:
        if arguments.types is not None:
            store.load_types(arguments.types)
        count = 0
        with _opened(arguments.file) as lines:
            loader = _Loader(store)
            for batch in _batches(_parsed(lines), arguments.batch):
                output.write_lines(loader.put(batch))
                count += len(batch)
    if not count:
        output.say("no lines found")
    return 0 if count else 3


def _opened(name: str) -> AbstractContextManager[Iterable[str]]:
    if name == "-":
        return nullcontext(sys.stdin)
    try:
        return Path(name).open(encoding="utf-8")
    except OSError as error:
        raise InvalidArgumentError(f"{name} cannot be read: {error.strerror or error}") from error


class _Line(NamedTuple):
    number: int
    kind: str
    record: Any
    """A node, or an event without its ends."""
    ends: tuple[str, str] | None
    """Of an event: what its execution and its artifact are called."""
    key: str | None
    contexts: tuple[str, ...]


class _WrongLineError(InvalidArgumentError):
    def __init__(self, numbers: str, error: object) -> None:
        super().__init__(f"{numbers}: {error}")


_KINDS = ("artifact", "execution", "context", "event")
_OF_LISTS = frozenset({"address", "id", "type_id", "create_time_ms", "last_update_time_ms", "kind"})
"""What `lineage ls -o jsonl` writes, and a store gives itself."""


def _parsed(lines: Iterable[str]) -> Iterator[_Line]:
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                yield _line(number, json.loads(text))
            except (ValueError, LineageError, RecursionError) as error:
                raise _WrongLineError(f"line {number}", _short(error)) from error


def _short(error: BaseException) -> str:
    return f"no JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error)


def _no_line(given: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"a line is an object with one of {', '.join(_KINDS)}, not {given}")


def _line(number: int, given: Any) -> _Line:
    from lineage.model import Artifact, Context, Event, Execution

    if not isinstance(given, dict):
        raise _no_line(type(given).__name__)
    if "address" in given:  # a line of `lineage ls -o jsonl`
        of_list = {name: value for name, value in given.items() if name not in _OF_LISTS}
        given = {str(given["address"]).partition("/")[0]: of_list}
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise _no_line(short_repr(sorted(given)))
    [kind] = kinds
    if unknown := given.keys() - {kind, "key", "contexts"}:
        raise InvalidArgumentError(f"unknown field {short_repr(min(unknown))}; a line has {kind}, key and contexts")
    fields, key, contexts = given[kind], given.get("key"), given.get("contexts", [])
    if not isinstance(fields, dict):
        raise InvalidArgumentError(f"{kind} is an object of fields, not {short_repr(fields)}")
    if not (key is None or (isinstance(key, str) and key)):
        raise InvalidArgumentError(f"key is a text, not {short_repr(key)}")
    if not isinstance(contexts, list) or not all(isinstance(each, str) and each.partition("/")[2] for each in contexts):
        raise InvalidArgumentError(f'contexts is a list of TYPE/NAME, as ["Run/run-1"], not {short_repr(contexts)}')
    if kind != "event":
        class_: Any = {"artifact": Artifact, "execution": Execution, "context": Context}[kind]
        if own := _OF_LISTS & fields.keys():
            raise InvalidArgumentError(f"{min(own)} is what the store gives to a new {kind}; leave it out")
        record = class_(**fields)
        if kind == "context" and contexts:
            raise InvalidArgumentError("a context is held by none; leave contexts out")
        return _Line(number, kind, record, None, key, tuple(contexts))
    ends = fields.get("execution"), fields.get("artifact")
    if not all(isinstance(each, str) and each for each in ends) or key is not None or contexts:
        raise InvalidArgumentError(
            'an event has execution and artifact, as {"execution": "Trainer/train-1", ...}, and no more'
        )
    event = Event(**{name: value for name, value in fields.items() if name not in ("execution", "artifact")})
    return _Line(number, kind, event, (str(ends[0]), str(ends[1])), None, ())


def _batches(lines: Iterable[_Line], size: int) -> Iterator[list[_Line]]:
    """Yield lines that go into one call: nodes of the same contexts with events, or contexts."""
    batch: list[_Line] = []
    contexts: tuple[str, ...] | None = None
    for line in lines:
        of_nodes = line.kind in ("artifact", "execution")
        is_other = bool(batch) and (
            (line.kind == "context") != (batch[0].kind == "context")
            or (of_nodes and contexts is not None and line.contexts != contexts)
        )
        if is_other or len(batch) >= size:
            yield batch
            batch, contexts = [], None
        batch.append(line)
        if of_nodes:
            contexts = line.contexts
    if batch:
        yield batch


class _Loader:
    """Puts batches, and knows what the lines before called their nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], int] = {}

    def put(self, batch: list[_Line]) -> list[str]:
        """Put a batch, and return the addresses of its nodes. Raises an error that names the line."""
        try:
            return self._put_contexts(batch) if batch[0].kind == "context" else self._put_steps(batch)
        except _WrongLineError:
            raise
        except LineageError as error:
            first, last = batch[0].number, batch[-1].number
            culprit = first if first == last else self._culprit(batch)
            where = f"lines {first} to {last}" if culprit is None else f"line {culprit}"
            raise _WrongLineError(where, error) from error

    def _put_contexts(self, batch: list[_Line]) -> list[str]:
        ids = self._store.put_contexts([line.record for line in batch], reuse_context_if_already_exist=True)
        self._remember(batch, ids)
        return [f"context/{each}" for each in ids]

    def _put_steps(self, batch: list[_Line]) -> list[str]:
        from lineage.model import Context

        nodes = {kind: [line for line in batch if line.kind == kind] for kind in ("artifact", "execution")}
        places = {
            (kind, name): index
            for kind, lines in nodes.items()
            for index, line in enumerate(lines)
            for name in _names(line)
        }
        edges = [self._edge(line, places) for line in batch if line.kind == "event"]
        contexts = next((line.contexts for line in batch if line.kind != "event"), ())
        done = self._store.put_lineage_subgraph(
            [line.record for line in nodes["execution"]],
            [line.record for line in nodes["artifact"]],
            [Context(type=each.partition("/")[0], name=each.partition("/")[2]) for each in contexts],
            edges,
            reuse_context_if_already_exist=True,
            reuse_artifact_if_already_exist_by_external_id=True,
        )
        ids = {"artifact": list(done.artifact_ids), "execution": list(done.execution_ids)}
        for kind, lines in nodes.items():
            self._remember(lines, ids[kind])
        following = {kind: iter(each) for kind, each in ids.items()}
        return [f"{line.kind}/{next(following[line.kind])}" for line in batch if line.kind != "event"]

    def _edge(self, line: _Line, places: Mapping[tuple[str, str], int]) -> EventEdge:
        from lineage.model import NodeKind
        from lineage.writing.composites import EventEdge

        assert line.ends is not None
        event, indexes = line.record, {}
        for kind, name, node_kind in zip(
            ("execution", "artifact"), line.ends, (NodeKind.EXECUTION, NodeKind.ARTIFACT), strict=True
        ):
            index = places.get((kind, name))
            if index is not None:
                indexes[f"{kind}_index"] = index
                continue
            try:
                node_id = self._known.get((kind, name)) or self._found(name, node_kind)
            except LineageError as error:
                raise _WrongLineError(f"line {line.number}", error) from error
            event = event.model_copy(update={f"{kind}_id": node_id})
        return EventEdge(event, **indexes)

    def _found(self, name: str, kind: NodeKind) -> int:
        from cypher.literals import write_string
        from lineage.kinds import of_kind

        by_external_id: Sequence[Node] = of_kind(self._store, kind).list(f"external_id = {write_string(name)}", limit=1)
        [node] = by_external_id or stores.nodes_of(self._store, [name], [kind])
        assert node.id is not None
        return node.id

    def _remember(self, lines: Iterable[_Line], ids: Iterable[int]) -> None:
        for line, node_id in zip(lines, ids, strict=True):
            self._known.update({(line.kind, name): node_id for name in _names(line)})

    def _culprit(self, batch: list[_Line]) -> int | None:
        """Return the number of the line that a store refuses by itself; None if it is none that is alone to blame."""
        from lineage.kinds import of_kind
        from lineage.store import open_store

        with open_store("memory:") as scratch:
            scratch.put_types(
                artifact_types=self._store.get_artifact_types(),
                execution_types=self._store.get_execution_types(),
                context_types=self._store.get_context_types(),
            )
            for line in batch:
                if line.kind == "event":
                    continue
                try:
                    of_kind(scratch, line.record.kind).put([line.record])
                except LineageError:
                    return line.number
                if self._is_taken(line):
                    return line.number
        return None

    def _is_taken(self, line: _Line) -> bool:
        if line.record.name is None or line.kind == "context":
            return False
        from lineage.kinds import of_kind

        get = of_kind(self._store, line.record.kind).by_type_and_name
        return get(line.record.type, line.record.name) is not None


def _names(line: _Line) -> Iterator[str]:
    """Yield what other lines may call a node: its key, its type and name, its name, its external id."""
    record = line.record
    for name in (line.key, record.name and f"{record.type}/{record.name}", record.name, record.external_id):
        if name:
            yield name
