"""What only a store can refuse, said by all of them in the same words."""

from __future__ import annotations

from lineage.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError
from lineage.model import Link, LinkKind, NodeKind

__all__ = [
    "changed_meanwhile",
    "closed",
    "link_exists",
    "missing_end",
    "needs_upgrade",
    "not_ready",
    "still_linked",
    "taken_external_id",
    "taken_name",
    "taken_type_external_id",
    "taken_type_name",
    "too_new",
    "type_in_use",
]


def closed() -> FailedPreconditionError:
    """Build the error for a store that was closed."""
    return FailedPreconditionError("the store is closed; open it again with lineage.open_store")


def taken_name(kind: NodeKind, node_id: int, type_name: str | None, name: str) -> AlreadyExistsError:
    """Build the error for a node whose name another node of its type has: the one with ``node_id``."""
    return AlreadyExistsError(
        f"given node already exists: {kind.lower()} {node_id} of type {type_name!r} has the name {name!r}; "
        "pass its id to update it, or choose another name"
    )


def taken_external_id(kind: NodeKind, node_id: int, external_id: str) -> AlreadyExistsError:
    """Build the error for a node whose external id another node of its kind has: the one with ``node_id``."""
    return AlreadyExistsError(
        f"given node already exists: {kind.lower()} {node_id} has the external_id {external_id!r}; "
        "pass its id to update it, or choose another external_id"
    )


def taken_type_name(kind: NodeKind, type_id: int | None, name: str) -> AlreadyExistsError:
    """Build the error for a type whose name and version another type of its kind has: the one with ``type_id``."""
    return AlreadyExistsError(
        f"{kind.lower()} type {name!r} already exists with id {type_id}; put it again to extend it"
    )


def taken_type_external_id(kind: NodeKind, name: str, external_id: str) -> AlreadyExistsError:
    """Build the error for a type whose external id another type has: the one with ``kind`` and ``name``."""
    return AlreadyExistsError(
        f"conflict of external_id: {external_id!r} is that of {kind.lower()} type {name!r}; choose another one"
    )


def changed_meanwhile(kind: NodeKind, node_id: int) -> FailedPreconditionError:
    """Build the error for an update of a node that has not the update time that it was expected to have."""
    return FailedPreconditionError(
        f"{kind.lower()} {node_id} was changed meanwhile; read it again and repeat the change"
    )


def still_linked(kind: NodeKind, node_id: int) -> FailedPreconditionError:
    """Build the error for a node that is to be deleted, and at which a link ends."""
    return FailedPreconditionError(
        f"{kind.lower()} {node_id} cannot be deleted: it is still linked with other nodes; delete its links first, or "
        "plan the removal again"
    )


def type_in_use(kind: NodeKind, type_id: int) -> FailedPreconditionError:
    """Build the error for a type that is to be deleted, and of which there are nodes."""
    return FailedPreconditionError(
        f"{kind.lower()} type {type_id} cannot be deleted: there are nodes of it; remove them first"
    )


def needs_upgrade(what: str, version: int, newest: int) -> FailedPreconditionError:
    """Build the error for a database with an older schema, which nobody has asked to upgrade."""
    return FailedPreconditionError(
        f"{what} has the schema version {version}, and this version of lineage-graph works with {newest}; nothing was "
        "changed: back it up, close its other clients, and open it once with upgrade=True (lineage db upgrade, "
        "lineage serve --upgrade, MetadataStore's enable_upgrade_migration=True)"
    )


def too_new(what: str, version: int, newest: int) -> FailedPreconditionError:
    """Build the error for a database with a newer schema than this version knows."""
    return FailedPreconditionError(
        f"{what} has the schema version {version}, newer than {newest}, which this version of lineage-graph knows; "
        "upgrade lineage-graph"
    )


def not_ready(what: str) -> FailedPreconditionError:
    """Build the error for a database that would have to be written to before it can be read."""
    return FailedPreconditionError(
        f"{what} is no lineage store yet, or not all of one, and is opened for reading only; open it once without "
        "read_only=True"
    )


def link_exists(link: Link) -> AlreadyExistsError:
    """Build the error for a link that is there already, where that is not to be ignored."""
    return AlreadyExistsError(f"given {link.kind.lower()} already exists: {link!r}; leave it out")


def missing_end(link: Link, end: str) -> InvalidArgumentError:
    """Build the error for a link whose ``end`` names a node that does not exist."""
    node_id = getattr(link, end)
    match link.kind:
        case LinkKind.EVENT:
            return InvalidArgumentError(
                f"no {end.removesuffix('_id')} with the given id {node_id}; put the node before its event"
            )
        case LinkKind.PARENT:
            return InvalidArgumentError(
                f"given parent / child id in the parent_context cannot be found: there is no context {node_id}"
            )
        case _:
            return InvalidArgumentError(
                f"{end.removesuffix('_id')} id not found: {node_id}; put the node before linking it"
            )
