"""The records: what is put into a store and what comes back.

Records are immutable, validate when they are made, and say what is wrong by
:class:`~lineage.errors.InvalidArgumentError`. Reads share them: a record that you hold never changes, whatever is
written later.

>>> from lineage import Artifact
>>> model = Artifact(type="Model", name="ranker-7", uri="s3://models/7", properties={"accuracy": 0.93})
>>> model
Artifact(name='ranker-7', type='Model', properties={'accuracy': 0.93}, uri='s3://models/7')
>>> model.model_copy(update={"state": "LIVE"}).state
'LIVE'
>>> Artifact(type="Model", properties={"accuracy": None})
Traceback (most recent call last):
    ...
lineage.errors.InvalidArgumentError: Artifact.properties: property 'accuracy': None is not a value; leave the property
out instead
"""

from lineage.model.enums import (
    INPUT_EVENTS,
    OUTPUT_EVENTS,
    ArtifactBaseType,
    ArtifactState,
    ContextBaseType,
    Direction,
    EventType,
    ExecutionBaseType,
    ExecutionState,
    LinkKind,
    Named,
    NodeKind,
    PropertyType,
)
from lineage.model.links import Association, Attribution, Event, Link, LinkEnd, ParentContext
from lineage.model.nodes import AnyNode, Artifact, Context, Execution, Node
from lineage.model.record import Record
from lineage.model.types import (
    ArtifactStructType,
    ArtifactType,
    ContextType,
    DictStructType,
    ExecutionType,
    NodeType,
)
from lineage.model.values import PropertyValue, ProtoValue

__all__ = [
    "INPUT_EVENTS",
    "OUTPUT_EVENTS",
    "AnyNode",
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
    "Link",
    "LinkEnd",
    "LinkKind",
    "Named",
    "Node",
    "NodeKind",
    "NodeType",
    "ParentContext",
    "PropertyType",
    "PropertyValue",
    "ProtoValue",
    "Record",
]
