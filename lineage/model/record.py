"""What all records have in common: immutable, validated when they are made, cheap to make from what is valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from lineage.errors import InvalidArgumentError, near_matches, short_repr

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Record"]

# What makes a record without validation. A slot's own setter takes two thirds of object.__setattr__'s time (measured).
_new = object.__new__
_set_values, _set_names, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)

_CALLED = {"model_copy", "model_dump", "model_dump_json", "model_validate", "model_validate_json"}
_ENGINES = {"keep_encoding", "kept_encoding", "replace_trusted", "trusted"}
_NOT_SHOWN = frozenset({name for name in dir(BaseModel) if not name.startswith("_")} - _CALLED | _ENGINES)
"""What ``dir()``, and so completion, leaves out: names of pydantic's that nobody needs here, and the engine's own."""


class Record(BaseModel):
    """Base of all records: immutable, closed to unknown fields, strict about types.

    ``model_dump_json`` and ``model_validate_json`` give back an equal record: NaN and infinities are written as
    JavaScript does, a :class:`ProtoValue` as ``{"@type": type_url, "value": base64}``, and a struct that could be taken
    for one, or for this, as ``{"@struct": struct}``.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", serialize_by_alias=True, ser_json_inf_nan="constants", defer_build=True
    )
    __slots__ = ("_encoding",)  # not a field: neither compared, nor copied, nor shown

    def __init__(self, **data: Any) -> None:
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        except ValidationError as error:
            raise InvalidArgumentError(_describe(type(self), error)) from None

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return the record of this dict. Raises InvalidArgumentError, where pydantic's own raises ValidationError."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise InvalidArgumentError(_describe(cls, error)) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Return the record of this JSON text. Raises InvalidArgumentError if it is not one."""
        try:
            fields = cls._load(from_json(json_data))
        except (ValueError, TypeError) as error:
            raise InvalidArgumentError(f"{cls.__name__}: this is not the JSON of a record: {error}") from None
        return cls.model_validate(fields, **options)

    @classmethod
    def _load(cls, fields: Any) -> Any:
        """Return what was read from JSON as the fields' validation takes it."""
        return fields

    def model_copy(
        self,
        *,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,  # noqa: ARG002  # pydantic's signature; a frozen record has nothing to copy deeply
    ) -> Self:
        """Return this record with the fields of ``update`` changed; unlike pydantic's own, it validates them."""
        return type(self)(**{**self._given(), **(update or {})})

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in _NOT_SHOWN]

    if not TYPE_CHECKING:  # type checkers know that records are frozen, and should say so

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(
                f"{type(self).__name__}.{name} cannot be set: a record never changes; make another one with "
                f"model_copy(update={{{name!r}: ...}})"
            )

        def __delattr__(self, name: str) -> None:
            raise AttributeError(
                f"{type(self).__name__}.{name} cannot be deleted: a record never changes; make another one with "
                f"model_copy(update={{{name!r}: ...}})"
            )

    def _given(self) -> dict[str, Any]:
        values = self.__dict__
        return {name: values[name] for name in self.__pydantic_fields_set__}

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """Return a record of values that are valid already, unchecked: for the engine and its backends."""
        record = _new(cls)
        _set_values(record, {**_defaults(cls), **values})
        _set_names(record, _shared_names(frozenset(values)))
        _set_extra(record, None)
        _set_private(record, None)
        return record

    def replace_trusted(self, **changes: Any) -> Self:
        """Return a copy with ``changes``, unvalidated: they must be valid, as the engine's own are."""
        copy = _new(type(self))
        _set_values(copy, {**self.__dict__, **changes})
        _set_names(copy, _shared_names(frozenset(self.__pydantic_fields_set__ | changes.keys())))
        _set_extra(copy, None)
        _set_private(copy, None)
        return copy

    def kept_encoding(self) -> bytes | None:
        """Return what :meth:`keep_encoding` was given, or None."""
        try:
            kept: bytes = object.__getattribute__(self, "_encoding")
        except AttributeError:
            return None
        return kept

    def keep_encoding(self, encoding: bytes) -> None:
        """Keep a serialized form of this record, for those who send it often; it cannot become wrong."""
        object.__setattr__(self, "_encoding", encoding)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in self.__dict__.items():
            if value is not None and value != fields[name].default and value != {}:
                yield name, value

    def __str__(self) -> str:
        return repr(self)


@cache
def _shared_names(names: frozenset[str]) -> set[str]:
    """Return the one set that all records with these fields share; a set for each would be a fifth of their memory."""
    return set(names)


@cache
def _defaults(record: type[Record]) -> dict[str, Any]:
    return {name: field.default for name, field in record.model_fields.items()}


def _nearest(word: str, record: type[Record]) -> str:
    """Return which field may be meant, or all that there are."""
    fields = record.model_fields
    holder = next((name for name in fields if len(word) > 2 and word.lower() in name), None)
    if holder is not None:
        return f"; did you mean {holder!r}?"
    return near_matches(word, fields) or f"; there are {', '.join(fields)}"


def _describe(record: type[Record], error: ValidationError) -> str:
    parts: list[str] = []
    for problem in error.errors(include_url=False):
        if isinstance(cause := problem.get("ctx", {}).get("error"), InvalidArgumentError):
            parts.append(cause.message)  # of the whole record, or of one within
            continue
        place = ".".join([record.__name__, *(str(step) for step in problem["loc"])])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"there is no such field{_nearest(str(problem['loc'][-1]), record)}"
        elif problem["type"] == "missing":
            message = "this field is required"
        elif not problem["type"].startswith(("value_error",)):
            message = f"{message[:1].lower()}{message[1:]}, not {short_repr(problem['input'])}"
        parts.append(f"{place}: {message}")
    return "; ".join(parts)
