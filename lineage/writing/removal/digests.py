"""What a plan remembers of a node and of its links, and what marks a node that was retired or forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lineage.model import Link, LinkEnd, LinkKind, Node
from lineage.seam import END_KINDS, LINK_ENDS, LinkQuery, Reads
from lineage.writing.copying.canonical import node_text
from lineage.writing.removal.plan import NodeKey

__all__ = ["FORGOTTEN", "MARKS", "RETIRED", "digest_of", "links_at", "links_digest", "own_links"]

RETIRED, FORGOTTEN = "lineage_retired", "lineage_forgotten"
"""Custom properties: the state that a retired artifact had, the digest of what was forgotten."""
MARKS: Mapping[str, str] = {"retire": RETIRED, "forget": FORGOTTEN}
_LENGTH = 32


def digest_of(node: Node) -> str:
    """Return the digest of all of a node but its id: times too, so that it is another one after each change."""
    return hashlib.sha256(node_text(node, with_times=True).encode(errors="surrogatepass")).hexdigest()[:_LENGTH]


def links_at(tx: Reads, keys: Iterable[NodeKey]) -> dict[NodeKey, list[Link]]:
    """Return all links of these nodes, by node."""
    found: dict[NodeKey, list[Link]] = {key: [] for key in keys}
    for kind, end in _ends():
        ids = [node_id for each, node_id in found if each is END_KINDS[end]]
        if ids:
            for link in tx.find_links(LinkQuery(kind, end, ids)):
                found[END_KINDS[end], getattr(link, end)].append(link)
    return found


def _ends() -> Iterator[tuple[LinkKind, LinkEnd]]:
    for kind, ends in LINK_ENDS.items():
        for end in ends:
            yield kind, end


def own_links(key: NodeKey, links: Sequence[Link], positions: Mapping[NodeKey, int]) -> list[Link]:
    """Return the links that a planned node is answerable for: not those of the nodes that go before it.

    So these may be gone already, and a link between two nodes that go belongs to one of them.
    """
    place = positions[key]
    return [link for link in links if positions.get(_other(key, link), place) >= place]


def _other(key: NodeKey, link: Any) -> NodeKey:
    one, other = ((END_KINDS[end], getattr(link, end)) for end in link.ends)
    return other if one == key else one


def links_digest(links: Sequence[Any]) -> str:
    """Return the digest of links, in any order."""
    lines = sorted(
        f"{link.kind} {' '.join(str(getattr(link, end)) for end in link.ends)} {getattr(link, 'type', None) or ''}"
        for link in links
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_LENGTH]
