"""A step that runs: what it uses, makes and measures."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn
from uuid import uuid4

from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError, short_repr
from lineage.model import Artifact, EventType, Execution
from lineage.model.arguments import checked_text
from lineage.recorder.files import DIGEST, SIZE, Content, Place, artifact_at, content_of, place_of
from lineage.recorder.spool import is_away, patient
from lineage.recorder.values import Converter, as_metric
from lineage.recorder.work import Work
from lineage.recorder.writes import UNKNOWN_TYPE, Link

__all__ = ["Step", "current_step", "running"]


class Step:
    """A step that runs: what :meth:`Recorder.step` gives within its ``with``.

    It may be used from several threads, and from the process that began it. Its execution is RUNNING until the block is
    left: then COMPLETE, FAILED with the error, or CANCELED by an interrupt. Everything is in the store when the method
    that records it returns, but for metrics, which may wait for a second.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._used: dict[int | str, Artifact] = {}
        self._made: set[int | str] = set()

    @property
    def execution(self) -> Execution:
        """The execution as it was last recorded."""
        return self._work.execution

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics so far."""
        return dict(self._work.metrics)

    def use(self, what: str | os.PathLike[str], *, type: str | None = None, role: str | None = None) -> Artifact:
        """Record that the step reads something, and return its artifact; it is a path to ``open`` and ``pathlib``.

        ``what`` is an artifact, the path of a file or folder, or a URL. A file is known by its content: it is the
        artifact that was recorded last at this path with this content; else the one that has the content; else a new
        one of ``type``. What is at a URL is not read: it is the artifact that was recorded last with that URL. ``role``
        says in the event what the step takes it for, by default its type. Using it again changes nothing.

        Raises InvalidArgumentError if nothing is there, if it is known as another type, or if it is unknown and
        ``type`` is not given.
        """
        with self._work.recording():
            if isinstance(what, Artifact):
                return self._use_artifact(what, role)
            place = place_of(what)
            content = content_of(place)
            if not self._work.target.spool.sent():
                return self._use_sought(place, content, type, role)
            try:
                with patient():
                    found = artifact_at(self._work.target.store, place, content, type)
            except LineageError as error:
                if not is_away(error):
                    raise
                self._work.target.spool.begin(error)
                return self._use_sought(place, content, type, role)
            if found is not None:
                return self._use_artifact(found, role)
            if type is None:
                raise InvalidArgumentError(
                    f"nothing that is recorded is {short_repr(place.uri)}; say what it is: "
                    f"use({short_repr(what)}, type='DataSet')"
                )
            return self._use_sought(place, content, checked_text(type, "a type name"), role, is_new=True)

    def made(
        self,
        what: str | os.PathLike[str],
        type: str,
        *,
        properties: Mapping[str, Any] | None = None,
        role: str | None = None,
    ) -> Artifact:
        """Record that the step made a file or folder, or what is at a URL, and return its artifact.

        It is always a new artifact, even if another one has the same content: how each came to be stays apart. So call
        it when all is written. ``properties`` are converted as parameters are, and declared by the type as they come.
        ``role`` says in the event what the output is, by default its type.

        Raises InvalidArgumentError if there is no such file, and for an artifact that this step made.
        """
        with self._work.recording():
            if isinstance(what, Artifact) and _key(what) in self._made:
                raise InvalidArgumentError(
                    f"{_named(what)} is recorded as an output of this step already; record it once, or, in a "
                    "function, return the path and leave the recording to the annotation"
                )
            place = place_of(what)
            content = content_of(place)
            link = Link(
                EventType.OUTPUT,
                type_name=checked_text(type, "a type name"),
                uri=place.uri,
                digest=None if content is None else content.digest,
                size=None if content is None else content.size,
                external_id=f"made:{uuid4().hex}",
                values=Converter().named(properties or {}, "properties"),
            )
            made = self._work.link(link, role or type)
            self._made.add(_key(made))
            return made

    def metric(self, name: str, value: Any) -> None:
        """Record a number that came out; the last one of a name is kept.

        It is a property of the execution, of the type DOUBLE. Raises InvalidArgumentError for what is no number, and
        for a name that is a parameter's.
        """
        with self._work.recording():
            number = as_metric(checked_text(name, "the name of a metric"), value)
            if name in self._work.parameters:
                raise InvalidArgumentError(f"{short_repr(name)} is a parameter of this step; name the metric otherwise")
            self._work.keep_metric(name, number)

    def _use_artifact(self, artifact: Artifact, role: str | None) -> Artifact:
        if _key(artifact) in self._used:
            return self._used[_key(artifact)]
        role = role or artifact.type or "input"
        if artifact.id is not None:
            link = Link(EventType.INPUT, artifact_id=artifact.id, type_name=artifact.type, uri=artifact.uri or "")
        elif _key(artifact) in self._work.target.spool.given:
            digest, size = (artifact.custom_properties.get(name) for name in (DIGEST, SIZE))
            link = Link(
                EventType.INPUT,
                type_name=artifact.type,
                uri=artifact.uri or "",
                digest=digest if isinstance(digest, str) else None,
                size=size if isinstance(size, int) else None,
                external_id=artifact.external_id,
                values=artifact.properties,
                is_sought=artifact.external_id is None,
            )
        else:
            raise InvalidArgumentError(
                f"{short_repr(artifact)} has no id; use an artifact as it is read from the store"
            )
        used = self._work.link(link, role)
        if used.id is None and artifact.id is not None:
            used = artifact  # the store is away, and it is known as it was read
        self._used[_key(artifact)] = self._used[_key(used)] = used
        return used

    def _use_sought(
        self, place: Place, content: Content | None, type_name: str | None, role: str | None, *, is_new: bool = False
    ) -> Artifact:
        """Use what is known by its place and content: which artifact that is, is said by the store that takes it."""
        link = Link(
            EventType.INPUT,
            type_name=type_name,
            uri=place.uri,
            digest=None if content is None else content.digest,
            size=None if content is None else content.size,
            is_sought=not is_new,
        )
        if place.uri in self._used and self._used[place.uri].custom_properties.get(DIGEST) == link.digest:
            return self._used[place.uri]
        used = self._work.link(link, role or type_name or UNKNOWN_TYPE)
        self._used[_key(used)] = used
        return used

    def __reduce__(self) -> NoReturn:
        raise FailedPreconditionError(
            "a step belongs to the process that began it; pass the recorder to the other process and begin one there"
        )

    def __repr__(self) -> str:
        execution = self._work.execution
        state = str(execution.last_known_state or "")
        return f"Step({execution.type!r}, execution/{execution.id}, {state})"


def _key(artifact: Artifact) -> int | str:
    """Return by what an artifact is the same to a step: its id, else what it is kept by while the store is away."""
    return artifact.id if artifact.id is not None else artifact.external_id or artifact.uri or ""


def _named(artifact: Artifact) -> str:
    return f"artifact/{artifact.id}" if artifact.id is not None else short_repr(artifact.uri)


_current: ContextVar[Step | None] = ContextVar("lineage_step", default=None)


def current_step() -> Step:
    """Return the innermost step of this thread or task. Raises FailedPreconditionError if there is none."""
    step = _current.get()
    if step is None:
        raise FailedPreconditionError(
            "no step runs in this thread or task; begin one with `with rec.step(...)`, or pass it on as an argument"
        )
    return step


@contextmanager
def running(work: Work) -> Generator[Step, None, None]:
    """Let a step run until the block is left, which ends it."""
    step = Step(work)
    outer = _current.get()
    _current.set(step)
    try:
        yield step
    except BaseException as error:
        work.end(error)
        raise
    else:
        work.end(None)
    finally:
        _current.set(outer)
