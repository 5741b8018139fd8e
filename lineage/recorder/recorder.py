"""Runs, and the steps in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload
from uuid import uuid4

from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError
from lineage.model import Context
from lineage.model.arguments import checked_flag, checked_text, checked_texts
from lineage.recorder import surroundings
from lineage.recorder.functions import as_step
from lineage.recorder.heartbeat import EVERY_S, checked_interval
from lineage.recorder.spool import is_away, patient, replay_for, spool_folder
from lineage.recorder.step import Step, current_step, running
from lineage.recorder.work import Target, Work
from lineage.recorder.writes import context_of
from lineage.store import Store, open_store

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["NewStep", "Recorder", "record"]

PIPELINE, RUN = "Pipeline", "Run"
"""The types of the contexts that a recorder makes."""


def record(
    store: Store | str | os.PathLike[str] | None = None,
    *,
    pipeline: str | None = None,
    run: str | None = None,
    environment: Collection[str] = (),
    heartbeat_s: float = EVERY_S,
) -> Recorder:
    """Begin a run, and return what records its steps.

    ``store`` is a store, or what :func:`open_store` takes. The run is a context of the type Run; with ``pipeline`` it
    is part of a context of the type Pipeline with that name, and has it before its own. A run that is named with
    ``run`` and is there already goes on; without, each call begins a new one. Of the environment, the variables that
    ``environment`` names are recorded with each step, and no others. A step that runs gives a sign of life every
    ``heartbeat_s`` seconds: one that stops giving it, as its process was killed, is stale (``lineage runs --stale``).

    >>> import lineage
    >>> rec = lineage.record(store, pipeline="iris")
    >>> with rec.step("Train", params={"rate": 0.1}) as step:
    ...     step.metric("accuracy", 0.97)
    >>> step.execution.properties
    {'rate': 0.1, 'accuracy': 0.97}
    """
    interval = checked_interval(heartbeat_s)
    names = checked_texts(environment, "names of environment variables")
    for what, name in (("a pipeline", pipeline), ("a run", run)):
        if name is not None and not checked_text(name, f"the name of {what}"):
            raise InvalidArgumentError(f"the name of {what} is empty; give one, or leave it out")
    folder = spool_folder()
    opened = store if isinstance(store, Store) else open_store(store)
    try:
        replay_for(opened, folder)
        contexts = [] if pipeline is None else [_context(opened, PIPELINE, pipeline, None)]
        name = run or f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {uuid4().hex[:6]}"
        contexts.append(_context(opened, RUN, name, contexts[-1] if contexts else None))
        origin = surroundings.code_origin()
    except BaseException:
        if opened is not store:
            opened.close()
        raise
    return Recorder(Target(opened, contexts, interval, folder), origin, names, owns_store=opened is not store)


class Recorder:
    """A run: begin its steps with :meth:`step`. Make one with :func:`lineage.record`.

    It may be used from several threads and tasks, in forked processes, and pickled, if its store can be: each step is
    its own. Leaving it as a context, or :meth:`close`, closes the store if it was opened for it.
    """

    def __init__(
        self, target: Target, origin: Mapping[str, Any], environment: Sequence[str], *, owns_store: bool
    ) -> None:
        self._target = target
        self._origin = dict(origin)
        self._environment = list(environment)
        self._owns_store = owns_store

    @property
    def store(self) -> Store:
        """The store that it records into, to ask."""
        return self._target.store

    @property
    def run(self) -> Context:
        """The context that holds the steps of this run, and what they use and make."""
        return self._target.contexts[-1]

    @property
    def current(self) -> Step:
        """The innermost step that runs in this thread or task. Raises FailedPreconditionError if there is none."""
        return current_step()

    def nested(self, name: str | None = None) -> Recorder:
        """Return a recorder of a run that is part of this one, e.g. a fold or a trial.

        Its context is a child of this run's, and has that name before its own. All of its steps are in this run, too.

        >>> import lineage
        >>> rec = lineage.record(store, run="search")
        >>> rec.nested("trial 1").run.name
        'search/trial 1'
        """
        if name is not None and not checked_text(name, "the name of a run"):
            raise InvalidArgumentError("the name of a run is empty; give one, or leave it out")
        full_name = f"{self.run.name}/{name or uuid4().hex[:6]}"
        context = Context(type=RUN, name=full_name)
        if self._target.spool.sent():
            try:
                with patient():
                    context = context_of(self.store, RUN, full_name, self.run)
            except LineageError as error:
                if not is_away(error):
                    raise  # else it is made with its first step
        return Recorder(self._target.nested(context), self._origin, self._environment, owns_store=False)

    @overload
    def step(
        self, what: Callable[..., Any], /, *, params: Mapping[str, Any] | None = None, reuse: bool = False
    ) -> Callable[..., Any]: ...

    @overload
    def step(
        self, what: str | None = None, /, *, params: Mapping[str, Any] | None = None, reuse: bool = False
    ) -> NewStep: ...

    def step(
        self,
        what: Callable[..., Any] | str | None = None,
        /,
        *,
        params: Mapping[str, Any] | None = None,
        reuse: bool = False,
    ) -> NewStep | Callable[..., Any]:
        """Return a step for a ``with``, or for each call of a function over which it stands.

        ``what`` is the type of its executions; a function's own name if it is left out. ``params`` are properties of
        the execution; of a function all arguments are, but those that its annotations say are :class:`Input`. The table
        of :mod:`lineage.recorder.values` says how values are converted.

        With ``reuse`` a function is not called when it ran before: the same source, the same parameters, the same
        input artifacts, COMPLETE, and all that it made still there, unchanged. The step is CACHED then, and returns
        what that one made. Other code that the function calls, and data that are no ``Input``, are not looked at.

        >>> import lineage
        >>> rec = lineage.record(store)
        >>> @rec.step("Train")
        ... def train(rate):
        ...     rec.current.metric("accuracy", 1 - rate)
        >>> train(0.25)
        >>> [run.properties for run in store.list_executions(type="Train")]
        [{'rate': 0.25, 'accuracy': 0.75}]
        """
        checked_flag(reuse, "reuse")
        if what is None or isinstance(what, str):
            if what == "":
                raise InvalidArgumentError("the type of a step is empty; name it, e.g. rec.step('Train')")
            return NewStep(self._begin, what, params or {}, reuse=reuse)
        return as_step(what, self._begin, type_name=None, parameters=params or {}, reuse=reuse)

    def _begin(self, type_name: str, parameters: Mapping[str, Any], facts: Mapping[str, Any]) -> Work:
        process = surroundings.of_process(self._environment)
        return Work(self._target, type_name, parameters, {**self._origin, **process, **facts})

    def close(self) -> None:
        """Send what was kept while the store was away, and close the store, if it was opened for this recorder."""
        self._target.spool.close()
        if self._owns_store:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Recorder({self.run.name!r}, {self.store!r})"


class NewStep:
    """A step that has not begun: enter it with ``with``, once, or put it over a function with ``@``."""

    def __init__(
        self,
        begin: Callable[[str, Mapping[str, Any], Mapping[str, Any]], Work],
        type_name: str | None,
        parameters: Mapping[str, Any],
        *,
        reuse: bool,
    ) -> None:
        self._begin, self._type_name = begin, type_name
        self._parameters, self._reuse = parameters, reuse
        self._block: AbstractContextManager[Step] | None = None

    def __enter__(self) -> Step:
        if self._block is not None:
            raise FailedPreconditionError("this step was begun already; call rec.step again for another one")
        if self._type_name is None:
            raise InvalidArgumentError("a step needs a type; name it: with rec.step('Train') as step")
        if self._reuse:
            raise InvalidArgumentError("only a function can be reused; put rec.step(reuse=True) over it with @")
        self._block = running(self._begin(self._type_name, self._parameters, {}))
        return self._block.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._block is not None
        self._block.__exit__(kind, error, trace)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, each call of which is a step."""
        return as_step(
            function,
            self._begin,
            type_name=self._type_name,
            parameters=self._parameters,
            reuse=self._reuse,
        )

    def __repr__(self) -> str:
        return f"NewStep({self._type_name!r})"


def _context(store: Store, type_name: str, name: str, parent: Context | None) -> Context:
    """Return the context of this name, made if it is not there; one with a parent has its name before."""
    return context_of(store, type_name, name if parent is None else f"{parent.name}/{name}", parent)
