"""The message classes, built at run time from descriptors, and the pool that they live in.

No code is generated: a descriptor set, compiled from the ``.proto`` files beside it, is loaded into a pool of its own,
so that any protobuf runtime from 4.25 on will do, and the genuine ``ml_metadata`` may be loaded in the same process.
Messages of two pools have different classes, though they are the same on the wire; :func:`own` converts.

Code that other packages generated looks for MLMD's files in protobuf's default pool. :func:`move_to_default_pool` puts
them there, and from then on the classes are those of that pool.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, TypeVar, cast

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, field_mask_pb2, message_factory, struct_pb2
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

__all__ = ["FILES", "expose", "move_to_default_pool", "own"]

FILES = (
    "ml_metadata/proto/metadata_store.proto",
    "ml_metadata/proto/metadata_store_service.proto",
    "ml_metadata/simple_types/proto/simple_types.proto",
)
"""Our files, each after those that it imports."""

_IMPORTED = (any_pb2, struct_pb2, descriptor_pb2, field_mask_pb2)
_WELL_KNOWN = ("Any", "FieldMask", "ListValue", "Struct", "Value")
AnyMessage = TypeVar("AnyMessage", bound=Message)


def _descriptor_set() -> dict[str, bytes]:
    content = files("lineage.mlmd").joinpath("proto_source/descriptors.binpb").read_bytes()
    return {file.name: file.SerializeToString() for file in descriptor_pb2.FileDescriptorSet.FromString(content).file}


def _private_pool() -> Any:
    pool: Any = descriptor_pool.DescriptorPool()
    for module in _IMPORTED:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for content in _descriptor_set().values():
        pool.AddSerializedFile(content)
    for name in _WELL_KNOWN:
        _accept_other_pools(_kept_class(pool, f"google.protobuf.{name}"))
    _accept_other_pools_in_values(_kept_class(pool, "ml_metadata.Value"))
    return pool


def _kept_class(pool: Any, full_name: str) -> Any:
    message_class = _class_of(pool.FindMessageTypeByName(full_name))
    _kept.append(message_class)
    return message_class


_kept: list[Any] = []
"""Classes that were changed; protobuf lets go of classes that nobody holds, and makes new ones when it needs them."""


def _class_of(descriptor: Descriptor) -> Any:
    return message_factory.GetMessageClass(descriptor)


_pool: Any = None
_exposed: list[tuple[dict[str, Any], str]] = []


def expose(namespace: dict[str, Any], file_name: str) -> None:
    """Put the names of a file into a module's namespace, as generated code would."""
    global _pool  # noqa: PLW0603  # one pool for the process; it changes at most once
    if _pool is None:
        _pool = _private_pool()
    _exposed.append((namespace, file_name))
    _fill(namespace, _pool.FindFileByName(file_name))


def _fill(namespace: dict[str, Any], file: FileDescriptor) -> None:
    namespace["DESCRIPTOR"] = file
    for name, descriptor in file.message_types_by_name.items():
        namespace[name] = _placed(_class_of(descriptor), namespace["__name__"])
    for name, enum in file.enum_types_by_name.items():
        namespace[name] = EnumTypeWrapper(enum)
        for value in enum.values:
            namespace[value.name] = value.number
    for name, extension in file.extensions_by_name.items():
        namespace[name] = extension
        namespace[f"{name.upper()}_FIELD_NUMBER"] = extension.number


def _placed(message_class: Any, module: str) -> Any:
    """Say where a class is found, as error messages want to know, and pickle: its own way is the default pool."""
    message_class.__module__ = module
    message_class.__reduce__ = _reduce
    for nested in message_class.DESCRIPTOR.nested_types:
        if not nested.GetOptions().map_entry:
            nested_class = _placed(_class_of(nested), module)
            if not hasattr(message_class, nested.name):  # protobuf in pure Python leaves this to generated code
                setattr(message_class, nested.name, nested_class)
    return message_class


def _reduce(message: Any) -> tuple[Any, tuple[str, bytes]]:
    return _restore, (message.DESCRIPTOR.full_name, message.SerializePartialToString())


def _restore(full_name: str, content: bytes) -> Any:
    return _class_of(_pool.FindMessageTypeByName(full_name)).FromString(content)


def move_to_default_pool() -> None:
    """Put our files into protobuf's default pool, and take all classes from there.

    Messages made before keep working as arguments. Raises RuntimeError if other files of these names are there.
    """
    global _pool  # noqa: PLW0603  # as above
    default: Any = descriptor_pool.Default()
    if _pool is default:
        return
    content = _descriptor_set()
    for name, ours in content.items():
        theirs = _find_file(default, name)
        if theirs is not None and theirs.serialized_pb != ours:
            raise RuntimeError(
                f"protobuf's default pool has another {name!r} already, from the genuine ml_metadata or a package that "
                "brings a copy of its messages; call lineage.mlmd.install() before that is imported, or use "
                "lineage.mlmd without install()"
            )
    for serialized in content.values():
        try:
            default.AddSerializedFile(serialized)
        except TypeError as error:  # noqa: PERF203  # three rounds
            raise RuntimeError(
                f"protobuf's default pool refuses the messages of ml_metadata, most likely because another package "
                f"defines some of them: {error}; call lineage.mlmd.install() before that package is imported"
            ) from error
    _pool = default
    for namespace, file_name in _exposed:
        _fill(namespace, _pool.FindFileByName(file_name))


def _find_file(pool: Any, name: str) -> FileDescriptor | None:
    try:
        return cast(FileDescriptor, pool.FindFileByName(name))
    except KeyError:
        return None


def own(expected: type[AnyMessage], given: Any) -> AnyMessage:
    """Return the message as one of our class, be it of another pool, e.g. of the genuine ``ml_metadata``.

    Raises TypeError if it is another message, or none.
    """
    if type(given) is expected:
        return given
    name = expected.DESCRIPTOR.full_name
    if not isinstance(given, Message) or given.DESCRIPTOR.full_name != name:
        raise TypeError(f"expected a message {name}, got {given!r} of type {type(given).__name__}")
    return expected.FromString(given.SerializePartialToString())


# --- well-known types of the default pool, as values in messages of the private pool --------------------------------


def _accept_other_pools(message_class: Any) -> None:
    """Let CopyFrom and MergeFrom take the same message of another pool: callers have it from google.protobuf."""
    for name in ("CopyFrom", "MergeFrom"):
        original = getattr(message_class, name)

        def method(self: Any, other: Any, original: Any = original) -> None:
            original(self, own(type(self), other))

        method.__name__ = name
        setattr(message_class, name, method)


def _accept_other_pools_in_values(value_class: Any) -> None:
    original = value_class.__init__
    fields = [(name, _class_of(value_class.DESCRIPTOR.fields_by_name[name].message_type)) for name in _MESSAGE_VALUES]

    def initialize(self: Any, *arguments: Any, **values: Any) -> None:
        for name, message_class in fields:
            value = values.get(name)
            if isinstance(value, Message):
                values[name] = own(message_class, value)
        original(self, *arguments, **values)

    value_class.__init__ = initialize


_MESSAGE_VALUES = ("struct_value", "proto_value")
