"""A lineage engine for ML pipelines: what made this, what came of it, has this step run before.

>>> import lineage
>>> with lineage.open_store("memory:") as store:
...     _ = store.put_artifact_type(lineage.ArtifactType(name="DataSet"))
...     store.put_artifacts([lineage.Artifact(type="DataSet", uri="data/iris.csv")])
[1]
"""

# ruff: noqa: E402  # the layout is checked before anything else is imported
from lineage._layout import check_layout

check_layout()

from typing import TYPE_CHECKING

from lineage import errors
from lineage._types_api import PutTypesResult
from lineage.backend import OrderBy
from lineage.bulk import BulkLoad, BulkNodes, BulkProgress
from lineage.comparison import Comparison, Difference
from lineage.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult
from lineage.errors import LineageError
from lineage.listing import Page
from lineage.model import (
    Artifact,
    ArtifactBaseType,
    ArtifactState,
    ArtifactStructType,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextBaseType,
    ContextType,
    DictStructType,
    Event,
    EventType,
    Execution,
    ExecutionBaseType,
    ExecutionState,
    ExecutionType,
    Node,
    NodeKind,
    ParentContext,
    PropertyType,
)
from lineage.store import Store, open_store
from lineage.traversal import Direction, Ending, LineageGraph
from lineage.values import PropertyValue, ProtoValue

__all__ = [
    "Artifact",
    "ArtifactBaseType",
    "ArtifactState",
    "ArtifactStructType",
    "ArtifactType",
    "Association",
    "Attribution",
    "BulkLoad",
    "BulkNodes",
    "BulkProgress",
    "Comparison",
    "Context",
    "ContextBaseType",
    "ContextType",
    "DictStructType",
    "Difference",
    "Direction",
    "Ending",
    "Event",
    "EventEdge",
    "EventType",
    "Execution",
    "ExecutionBaseType",
    "ExecutionState",
    "ExecutionType",
    "LineageError",
    "LineageGraph",
    "Node",
    "NodeKind",
    "OrderBy",
    "Page",
    "ParentContext",
    "PropertyType",
    "PropertyValue",
    "ProtoValue",
    "PutExecutionResult",
    "PutLineageSubgraphResult",
    "PutTypesResult",
    "Store",
    "errors",
    "open_store",
]


if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    """Read the version when somebody asks for it: finding the installed metadata takes longer than most imports."""
    if name == "__version__":
        from importlib.metadata import version

        return version("lineage-graph")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
