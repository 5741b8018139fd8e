"""Files and other places: what is in them, and which artifact that is."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cypher.literals import write_string
from lineage.errors import FailedPreconditionError, InvalidArgumentError, short_repr
from lineage.model import Artifact
from lineage.model.nodes import local_path
from lineage.store import Store

__all__ = [
    "DIGEST",
    "SIZE",
    "Content",
    "Place",
    "artifact_at",
    "content_of",
    "external_id_of",
    "known_input",
    "place_of",
]

DIGEST: Final = "digest"
SIZE: Final = "size"
"""The custom properties of an artifact that say what its file held when it was recorded: SHA-256, and bytes."""

_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SETTLED_NS = 2_000_000_000
"""A file that changed less than this ago may change again within the same tick of its clock: it is always read."""
_MOST_KEPT = 10_000

_Key = tuple[int, ...]
_digests: dict[_Key, str] = {}


class Place(NamedTuple):
    """Where data are: the uri to record, and the path of a file or folder of this machine."""

    uri: str
    path: Path | None


class Content(NamedTuple):
    """What a file or folder holds."""

    digest: str
    size: int


def place_of(given: object) -> Place:
    """Return the place of a path, made absolute, of a URL, as it is, or of an artifact.

    Raises InvalidArgumentError for anything else.
    """
    if isinstance(given, Artifact):
        given = given.uri
    elif isinstance(given, os.PathLike):
        given = os.fsdecode(given)
    if not isinstance(given, str) or not given:
        raise InvalidArgumentError(
            f"{short_repr(given)} of type {type(given).__name__} is no place; give a path, a URL or an artifact"
        )
    if _HAS_SCHEME.match(given) and not given.startswith("file://"):
        return Place(given, None)
    path = Path(os.path.abspath(local_path(given)))  # noqa: PTH100  # links are kept as they are
    return Place(str(path), path)


def content_of(place: Place) -> Content | None:
    """Return the digest and size of a file, or of all files in a folder; None for a place elsewhere.

    In a folder a link to a folder counts by where it leads, and empty folders do not count. Raises
    InvalidArgumentError if nothing is there, FailedPreconditionError if it changes while it is read.
    """
    path = place.path
    if path is None:
        return None
    if path.is_file():
        return _file_content(path)
    if not path.is_dir():
        raise InvalidArgumentError(f"there is no file or folder {short_repr(str(path))}; write it before you record it")
    whole, size = hashlib.sha256(), 0
    for entry in _entries_of(path):
        content = Content(f"link:{entry.readlink()}", 0) if entry.is_dir() else _file_content(entry)
        whole.update(os.fsencode(f"{entry.relative_to(path).as_posix()}\0{content.digest}\n"))
        size += content.size
    return Content(f"sha256-folder:{whole.hexdigest()}", size)


def _entries_of(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in those below, and links to folders, always in the same order."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders.sort()
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(parent, name)


def _file_content(path: Path) -> Content:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
        raise InvalidArgumentError(f"{short_repr(str(path))} is no file with a content; record where it comes from")
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        known = _digests.get(_key(before))
        if known is not None:
            return Content(known, before.st_size)
        hashed = hashlib.sha256()
        while block := file.read(1 << 20):
            hashed.update(block)
        if _key(os.fstat(file.fileno())) != _key(before):
            raise FailedPreconditionError(
                f"{short_repr(str(path))} changed while it was read; record it when nobody writes to it"
            )
    digest = f"sha256:{hashed.hexdigest()}"
    if time.time_ns() - before.st_ctime_ns > _SETTLED_NS:
        if len(_digests) >= _MOST_KEPT:
            _digests.clear()
        _digests[_key(before)] = digest
    return Content(digest, before.st_size)


def _key(status: os.stat_result) -> _Key:
    """Return what changes when a file does.

    Programs can set the time of modification back, but not that of the change.
    """
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def external_id_of(type_name: str, digest: str) -> str:
    """Return by what an input is known: the same content, taken for the same type, is one artifact."""
    return f"{type_name}:{digest}"


def artifact_at(store: Store, place: Place, content: Content | None, type_name: str | None) -> Artifact | None:
    """Return the artifact that this is: what was recorded last at the place with the content, else the one with it.

    Several artifacts may have the same content at other places. Which of them this was copied from nobody can know,
    so that it is none of them then. Raises InvalidArgumentError if the one at the place is of another type.
    """
    here = f"uri = {write_string(place.uri)}"
    same = None if content is None else f"custom_properties.{DIGEST}.string_value = {write_string(content.digest)}"
    conditions = here if same is None else f"{here} AND {same}"
    last = next(iter(store.list_artifacts(conditions, order_by="CREATE_TIME", descending=True, limit=1)), None)
    if last is not None and type_name not in (None, last.type):
        raise InvalidArgumentError(
            f"{short_repr(place.uri)} is known as a {last.type} (artifact/{last.id}), not as a {type_name}; give that "
            "type, or none"
        )
    if last is not None or content is None:
        return last
    of_type = "" if type_name is None else f" AND type = {write_string(type_name)}"
    with_content = list(store.list_artifacts(f"{same}{of_type}", limit=2))
    if len(with_content) == 1:
        return with_content[0]
    return None if type_name is None else known_input(store, type_name, content.digest)


def known_input(store: Store, type_name: str, digest: str) -> Artifact | None:
    """Return the artifact that stands for a content of which nobody knows who made it, if it is there."""
    external_id = external_id_of(type_name, digest)
    return next(iter(store.list_artifacts(f"external_id = {write_string(external_id)}", limit=1)), None)
