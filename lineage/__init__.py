"""A lineage engine for ML pipelines: what made this, what came of it, has this step run before.

>>> import lineage
>>> with lineage.open_store("memory:") as store:
...     _ = store.put_artifact_type(lineage.ArtifactType(name="DataSet"))
...     store.put_artifacts([lineage.Artifact(type="DataSet", uri="data/iris.csv")])
[1]
"""

# ruff: noqa: E402  # the layout is checked before anything else is imported
from lineage._siblings import check_layout

check_layout()

from typing import TYPE_CHECKING

from lineage import errors
from lineage.errors import LineageError

__all__ = [
    "Artifact",
    "ArtifactBaseType",
    "ArtifactState",
    "ArtifactStructType",
    "ArtifactType",
    "Association",
    "AsyncBulkLoad",
    "AsyncOpening",
    "AsyncStore",
    "Attribution",
    "BulkLoad",
    "BulkNodes",
    "BulkProgress",
    "Comparison",
    "Context",
    "ContextBaseType",
    "ContextType",
    "Contraction",
    "CopyResult",
    "CutNode",
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
    "Explanation",
    "Impact",
    "ImpactGroup",
    "Input",
    "LineageError",
    "LineageGraph",
    "Node",
    "NodeKind",
    "OrderBy",
    "Output",
    "Page",
    "ParentContext",
    "Path",
    "Paths",
    "PlannedNode",
    "Problem",
    "PropertyIndex",
    "PropertyType",
    "PropertyValue",
    "ProtoValue",
    "PutExecutionResult",
    "PutLineageSubgraphResult",
    "PutTypesResult",
    "Reached",
    "Recorder",
    "RemovalPlan",
    "RemovalResult",
    "RunDiff",
    "Selection",
    "SelectionPart",
    "Step",
    "StepDiff",
    "Store",
    "Traversal",
    "Verified",
    "check",
    "copy",
    "errors",
    "open_async_store",
    "open_store",
    "record",
]


if TYPE_CHECKING:
    from lineage.api.types import PutTypesResult
    from lineage.async_store import AsyncBulkLoad, AsyncOpening, AsyncStore, open_async_store
    from lineage.checks import Problem, check
    from lineage.copies import CopyResult, Verified, copy
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
        Direction,
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
    from lineage.model.values import PropertyValue, ProtoValue
    from lineage.reading.comparison import Comparison, Difference
    from lineage.reading.differences import RunDiff, StepDiff
    from lineage.reading.graph import LineageGraph
    from lineage.reading.impact import Impact, ImpactGroup
    from lineage.reading.lists import Page
    from lineage.reading.reached import Reached
    from lineage.reading.selection.result import Selection, SelectionPart
    from lineage.reading.traversal import Traversal
    from lineage.reading.walk import Ending
    from lineage.reading.ways import Path, Paths
    from lineage.recorder import Input, Output, Recorder, Step, record
    from lineage.seam import Explanation, OrderBy, PropertyIndex
    from lineage.store import Store, open_store
    from lineage.writing.composites import EventEdge, PutExecutionResult, PutLineageSubgraphResult
    from lineage.writing.loads.bulk import BulkLoad, BulkNodes, BulkProgress
    from lineage.writing.removal.plan import Contraction, CutNode, PlannedNode, RemovalPlan, RemovalResult

    __version__: str

_LATE = {
    "PutTypesResult": "lineage.api.types",
    **dict.fromkeys(("AsyncBulkLoad", "AsyncOpening", "AsyncStore", "open_async_store"), "lineage.async_store"),
    **dict.fromkeys(("Problem", "check"), "lineage.checks"),
    **dict.fromkeys(("CopyResult", "Verified", "copy"), "lineage.copies"),
    **dict.fromkeys(
        (
            "Artifact",
            "ArtifactBaseType",
            "ArtifactState",
            "ArtifactStructType",
            "ArtifactType",
            "Association",
            "Attribution",
            "Context",
            "ContextBaseType",
            "ContextType",
            "DictStructType",
            "Direction",
            "Event",
            "EventType",
            "Execution",
            "ExecutionBaseType",
            "ExecutionState",
            "ExecutionType",
            "Node",
            "NodeKind",
            "ParentContext",
            "PropertyType",
        ),
        "lineage.model",
    ),
    **dict.fromkeys(("PropertyValue", "ProtoValue"), "lineage.model.values"),
    **dict.fromkeys(("Comparison", "Difference"), "lineage.reading.comparison"),
    **dict.fromkeys(("RunDiff", "StepDiff"), "lineage.reading.differences"),
    "LineageGraph": "lineage.reading.graph",
    **dict.fromkeys(("Impact", "ImpactGroup"), "lineage.reading.impact"),
    "Page": "lineage.reading.lists",
    "Reached": "lineage.reading.reached",
    **dict.fromkeys(("Selection", "SelectionPart"), "lineage.reading.selection.result"),
    "Traversal": "lineage.reading.traversal",
    "Ending": "lineage.reading.walk",
    **dict.fromkeys(("Path", "Paths"), "lineage.reading.ways"),
    **dict.fromkeys(("Input", "Output", "Recorder", "Step", "record"), "lineage.recorder"),
    **dict.fromkeys(("Explanation", "OrderBy", "PropertyIndex"), "lineage.seam"),
    **dict.fromkeys(("Store", "open_store"), "lineage.store"),
    **dict.fromkeys(("EventEdge", "PutExecutionResult", "PutLineageSubgraphResult"), "lineage.writing.composites"),
    **dict.fromkeys(("BulkLoad", "BulkNodes", "BulkProgress"), "lineage.writing.loads.bulk"),
    **dict.fromkeys(
        ("Contraction", "CutNode", "PlannedNode", "RemovalPlan", "RemovalResult"), "lineage.writing.removal.plan"
    ),
}
"""Where a name is from that is imported when somebody asks for it: a command that only shows its help needs none."""


def __getattr__(name: str) -> object:
    """Import what is asked for; finding the installed metadata for the version takes longer than most imports."""
    if name in _LATE:
        from importlib import import_module

        value: object = getattr(import_module(_LATE[name]), name)
        globals()[name] = value  # and the next time it is found at once
        return value
    if name == "__version__":
        from importlib.metadata import version

        return version("lineage-graph")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
