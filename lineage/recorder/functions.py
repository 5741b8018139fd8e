"""Functions as steps: what they read and make stands in their annotations, and what they made before is reused."""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import textwrap
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_origin

from lineage.errors import InvalidArgumentError, LineageError, short_repr
from lineage.model import OUTPUT_EVENTS, Artifact, ArtifactState, Event, ExecutionState
from lineage.model.arguments import checked_text
from lineage.recorder.files import DIGEST, content_of, place_of
from lineage.recorder.spool import is_away, patient
from lineage.recorder.step import Step, running
from lineage.recorder.values import Converter, digest_of
from lineage.recorder.work import Work

__all__ = ["Input", "Output", "as_step"]

RESULT: Final = "result"
"""The role of what a function returns."""
FINGERPRINT: Final = "fingerprint"
"""The custom property of an execution that stands for its code, parameters and inputs."""


class _Role:
    """What an annotation says about an argument or a result, beside its Python type."""

    def __init__(self, type: str) -> None:
        self.type = checked_text(type, "a type name")

    def __class_getitem__(cls, type: str) -> Any:
        return Annotated[Artifact, cls(type)]

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.type!r})"


class Input(_Role):
    """Marks an argument as data that the step reads: ``data: Input["DataSet"]``.

    The caller passes what :meth:`Step.use` takes, or a list of these, and the function gets artifacts, which are paths.
    Type checkers understand ``data: Annotated[Path, Input("DataSet")]``; the function gets a ``Path`` then, and a
    ``str`` for ``Annotated[str, ...]``.
    """


class Output(_Role):
    """Marks what a function returns as the path of data that it made: ``-> Output["Model"]``, or a tuple of these.

    The caller gets the artifact.
    """


_AnyRole = TypeVar("_AnyRole", bound=_Role)


def as_step(
    function: Callable[..., Any],
    begin: Callable[[str, Mapping[str, Any], Mapping[str, Any]], Work],
    *,
    type_name: str | None,
    parameters: Mapping[str, Any],
    reuse: bool,
) -> Callable[..., Any]:
    """Return the function such that each call of it is a step, which ``begin`` begins.

    Raises InvalidArgumentError for what is no function, is a generator, or cannot be reused and shall be.
    """
    if not callable(function) or isinstance(function, type):
        raise InvalidArgumentError(
            f"{short_repr(function)} is no function; put rec.step over a function, or use `with`"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidArgumentError(f"{function.__qualname__} is a generator, which ends nobody knows when; use `with`")
    plan = _Plan(function, type_name or function.__name__)
    if reuse and (plan.code is None or not plan.outputs):
        lack = "its source cannot be read" if plan.code is None else 'it returns no Output["..."]'
        raise InvalidArgumentError(f"{plan.type_name} cannot be reused: {lack}; leave reuse=True out")

    @contextmanager
    def called(arguments: tuple[Any, ...], named: dict[str, Any]) -> Generator[_Call, None, None]:
        bound = plan.signature.bind(*arguments, **named)
        bound.apply_defaults()
        given = {**parameters, **{name: value for name, value in _flat(bound) if name not in plan.inputs}}
        converter = Converter()
        converted = converter.named(given, "parameters")
        if reuse and converter.only_named:
            raise InvalidArgumentError(
                f"{plan.type_name} cannot be reused: nobody can tell whether {converter.only_named[0]} is the same as "
                'before; pass numbers, texts or files (Input["..."]), or leave reuse=True out'
            )
        work = begin(plan.type_name, converted, {} if plan.code is None else {"code": plan.code})
        with running(work) as step:
            call = _Call(plan, step, work, bound)
            if reuse:
                call.look_back(converted)
            yield call

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*arguments: Any, **named: Any) -> Any:
            with called(arguments, named) as call:
                if not call.is_reused:
                    call.finish(await function(*call.arguments, **call.named))
            return call.result

        return run_async

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        with called(arguments, named) as call:
            if not call.is_reused:
                call.finish(function(*call.arguments, **call.named))
        return call.result

    return run


class _Plan:
    """What a function reads, makes and is."""

    def __init__(self, function: Callable[..., Any], type_name: str) -> None:
        self.type_name = checked_text(type_name, "a type name")
        self.code = _source_digest(function)
        self.signature = inspect.signature(function)
        self.inputs: dict[str, tuple[Input, Any]] = {}
        for name, parameter in self.signature.parameters.items():
            hint = _evaluated(function, parameter.annotation)
            for found in _roles(hint, Input):
                if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                    raise InvalidArgumentError(f"{name} of {type_name} takes any number of inputs; pass them as a list")
                self.inputs[name] = found
        returned = _evaluated(function, self.signature.return_annotation)
        self.outputs = [output for output, _ in _roles(returned, Output)]
        self.returns_tuple = get_origin(returned) is tuple


class _Call:
    """One call of a function: what it is called with, and what comes of it."""

    def __init__(self, plan: _Plan, step: Step, work: Work, bound: inspect.BoundArguments) -> None:
        self._plan, self._step, self._work = plan, step, work
        self._used: dict[str, list[Artifact]] = {}
        self.is_reused = False
        self.result: Any = None
        for name, (role, python_type) in plan.inputs.items():
            bound.arguments[name] = self._use(name, role, python_type, bound.arguments[name])
        self.arguments, self.named = bound.args, bound.kwargs

    def _use(self, name: str, role: Input, python_type: Any, given: Any) -> Any:
        if given is None:
            return None
        several = isinstance(given, (list, tuple))
        used = [self._step.use(each, type=role.type, role=name) for each in (given if several else [given])]
        self._used[name] = used
        converted = [_as_python(artifact, python_type) for artifact in used]
        return converted if several else converted[0]

    def look_back(self, parameters: Mapping[str, Any]) -> None:
        """Take the outputs of an earlier run of the same code, inputs and parameters, if there is one."""
        if any(artifact.id is None for used in self._used.values() for artifact in used):
            return  # the store is away
        inputs = {name: [artifact.id for artifact in used] for name, used in self._used.items()}
        same = json.dumps([self._plan.code, parameters, inputs], sort_keys=True)
        fingerprint = digest_of(same.encode())
        self._work.note({FINGERPRINT: fingerprint})
        try:
            with patient():
                self._take(fingerprint)
        except LineageError as error:
            if not is_away(error):
                raise  # else it is done again, and recorded when the store is back

    def _take(self, fingerprint: str) -> None:
        earlier = self._work.target.store.find_executions_by_inputs(
            self._plan.type_name,
            [artifact for used in self._used.values() for artifact in used],
            custom_properties={FINGERPRINT: fingerprint},
            states=(ExecutionState.COMPLETE,),
        )
        for execution in earlier:
            assert execution.id is not None
            made = self._made_by(execution.id)
            results = [each.artifact for each in made if each.event.path and each.event.path[0] == RESULT]
            if len(results) == len(self._plan.outputs) and all(_is_there(each.artifact) for each in made):
                for each in made:
                    self._work.link_output(each.artifact, each.event)
                self._work.end(None, cached=True)
                self.is_reused, self.result = True, self._as_returned(results)
                return

    def _made_by(self, execution_id: int) -> list[_Made]:
        events = [
            event
            for event in self._work.target.store.get_events_by_execution_ids([execution_id])
            if event.type in OUTPUT_EVENTS and event.artifact_id is not None
        ]
        ids = [event.artifact_id for event in events if event.artifact_id is not None]
        artifacts = {artifact.id: artifact for artifact in self._work.target.store.get_artifacts_by_id(ids)}
        made = [_Made(event, artifacts[event.artifact_id]) for event in events]
        return sorted(made, key=lambda each: [str(part).rjust(9, "0") for part in each.event.path or ()])

    def finish(self, returned: Any) -> None:
        """Record what the function returned, if it is an output."""
        outputs = self._plan.outputs
        if not outputs or (returned is None and not self._plan.returns_tuple):
            self.result = returned
            return
        files: Any = returned if self._plan.returns_tuple else (returned,)
        if not isinstance(files, tuple) or len(files) != len(outputs):
            raise InvalidArgumentError(
                f"{self._plan.type_name} returned {short_repr(returned)}, and its annotation says {outputs}; return as "
                "many paths"
            )
        made = [self._step.made(file, output.type, role=RESULT) for file, output in zip(files, outputs, strict=True)]
        self.result = self._as_returned(made)

    def _as_returned(self, artifacts: Sequence[Artifact]) -> Any:
        return tuple(artifacts) if self._plan.returns_tuple else artifacts[0]


def _as_python(artifact: Artifact, python_type: Any) -> Any:
    if python_type is Path:
        return Path(artifact)
    return os.fspath(artifact) if python_type is str else artifact


class _Made(NamedTuple):
    event: Event
    artifact: Artifact


def _is_there(artifact: Artifact) -> bool:
    """Whether what an artifact stands for still is where it was, as it was; elsewhere than here, that it was."""
    if artifact.state not in (None, ArtifactState.UNKNOWN, ArtifactState.LIVE):
        return False
    try:
        content = content_of(place_of(artifact.uri))
    except (LineageError, OSError):
        return False
    return content is None or content.digest == artifact.custom_properties.get(DIGEST)


def _flat(bound: inspect.BoundArguments) -> Iterator[tuple[str, Any]]:
    """Yield arguments by name, those of ``**options`` by their own."""
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            yield from value.items()
        else:
            yield name, value


def _source_digest(function: Callable[..., Any]) -> str | None:
    """Return the digest of a function's source as it is written, its decorators too; None where there is none."""
    try:
        source = inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return None
    return digest_of(textwrap.dedent(source).encode())


def _evaluated(function: Callable[..., Any], annotation: Any) -> Any:
    """Return an annotation as an object; one that needs names which are for type checkers only is no role's."""
    if not isinstance(annotation, str):
        return annotation
    names = inspect.unwrap(function).__globals__ if hasattr(inspect.unwrap(function), "__globals__") else {}
    try:
        return eval(annotation, dict(names))  # what typing.get_type_hints does, for all annotations or none
    except Exception as error:
        if re.search(r"\b(Input|Output)\b", annotation):
            raise InvalidArgumentError(
                f"the annotation {annotation!r} of {function.__qualname__} cannot be evaluated: {error}; import its "
                "names at the top of the module"
            ) from error
        return None


def _roles(hint: Any, kind: type[_AnyRole]) -> Iterator[tuple[_AnyRole, Any]]:
    """Yield the roles of a kind in an annotation, in unions, lists and tuples too, each with its Python type."""
    if get_origin(hint) is Annotated:
        python_type, *extras = get_args(hint)
        for extra in extras:
            if isinstance(extra, kind):
                yield extra, python_type
    else:
        for part in get_args(hint):
            yield from _roles(part, kind)
