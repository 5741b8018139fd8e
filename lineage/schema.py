"""Schema versions: which one a database has, and its way up and down. Opening a store changes none by itself.

MLMD's databases have the versions 0 to 10; this library works with 10.

>>> import lineage
>>> from lineage import schema
>>> lineage.open_store("lineage.db").close()
>>> schema.downgrade("lineage.db", to=8)
SchemaChange(before=10, after=8, loses=())
>>> schema.status("lineage.db")
SchemaStatus(version=8, newest=10, is_whole=True)
>>> schema.upgrade("lineage.db").after
10
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from lineage import registry
from lineage.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError, short_repr, shown_url
from lineage.model.arguments import checked_flag
from lineage.seam import CanMigrate, SchemaChange, SchemaStatus, too_new

__all__ = ["SchemaChange", "SchemaStatus", "downgrade", "status", "upgrade"]

Result = TypeVar("Result")


def status(url: str | os.PathLike[str], **options: Any) -> SchemaStatus:
    """Return which schema version a database has, and touch nothing.

    Raises FailedPreconditionError for what is no store, UnimplementedError for a store without versions.
    """
    return _asked(url, options, lambda backend: backend.schema_status())


def upgrade(
    url: str | os.PathLike[str], *, to: int | None = None, dry_run: bool = False, **options: Any
) -> SchemaChange:
    """Bring a database to a newer schema version, the newest by default; make a copy of it before.

    Each step is a transaction: what is killed is whole, and goes on when it is run again. With ``dry_run`` nothing is
    changed. Raises InvalidArgumentError for a version that is older than that of the database or that there is not,
    FailedPreconditionError for tables that somebody altered, and for a newer version than this library knows.
    """

    def change(backend: CanMigrate) -> SchemaChange:
        found = backend.schema_status()
        target = found.newest if to is None else _checked(to, found)
        if found.version is None or not found.is_whole:
            raise FailedPreconditionError(
                f"{_shown(url)!r} has not all tables of a store yet; open it, and they are made, at "
                f"version {found.newest}"
            )
        if found.version > found.newest:
            raise too_new(repr(_shown(url)), found.version, found.newest)
        if target < found.version:
            raise InvalidArgumentError(
                f"{_shown(url)!r} is at schema version {found.version}, which is above {target}; downgrade it"
            )
        return backend.change_schema(target, dry_run=checked_flag(dry_run, "dry_run"))

    return _asked(url, options, change)


def downgrade(url: str | os.PathLike[str], *, to: int, dry_run: bool = False, **options: Any) -> SchemaChange:
    """Bring a database to an older schema version, for an older MLMD; make a copy of it before.

    What the older version has no place for is lost, as ``loses`` says, and with ``dry_run`` would be. Otherwise as
    :func:`upgrade`.
    """

    def change(backend: CanMigrate) -> SchemaChange:
        found = backend.schema_status()
        target = _checked(to, found)
        if found.version is None or not found.is_whole:
            raise FailedPreconditionError(
                f"{_shown(url)!r} has not all tables of a store; there is nothing to downgrade"
            )
        if found.version > found.newest:
            raise too_new(repr(_shown(url)), found.version, found.newest)
        if target > found.version:
            raise InvalidArgumentError(
                f"{_shown(url)!r} is at schema version {found.version}, which is below {target}; upgrade it"
            )
        return backend.change_schema(target, dry_run=checked_flag(dry_run, "dry_run"))

    return _asked(url, options, change)


def _checked(version: object, found: SchemaStatus) -> int:
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version <= found.newest:
        raise InvalidArgumentError(f"there is no schema version {short_repr(version)}; there are 0 to {found.newest}")
    return version


def _shown(url: str | os.PathLike[str]) -> str:
    return shown_url(os.fspath(url))


def _asked(url: str | os.PathLike[str], options: dict[str, Any], ask: Callable[[CanMigrate], Result]) -> Result:
    with registry.database_at(url, **options) as backend:
        if not isinstance(backend, CanMigrate):
            raise UnimplementedError(
                f"{shown_url(registry.url_of(url))!r} has no schema versions to go between; an older one is brought up "
                "to date by lineage.open_store(..., upgrade=True)"
            )
        return ask(backend)
