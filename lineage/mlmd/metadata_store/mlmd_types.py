"""The simple types: what a type may extend, as ``base_type=Dataset().system_type``."""

from __future__ import annotations

from lineage.mlmd import errors
from lineage.model import ArtifactBaseType, ExecutionBaseType, Named


class _SystemType:
    """A value of a SystemDefinedBaseType enumeration, with the name of the type that it stands for."""

    _base_types: type[Named]
    _unset_name: str

    def __init__(self, system_type: int) -> None:
        base_type = self._base_types.by_number()[int(system_type)]
        self._name = f"mlmd.{base_type.name.title()}" if base_type else None
        self._system_type = int(system_type)

    @property
    def system_type(self) -> int:
        """The number of the enumeration."""
        return self._system_type

    @property
    def name(self) -> str:
        """The type's name. Raises NotFoundError for UNSET."""
        if self._name is None:
            raise errors.NotFoundError(f"Type name: {self._unset_name} is not found")
        return self._name


class ArtifactType(_SystemType):
    """A simple artifact type."""

    _base_types = ArtifactBaseType
    _unset_name = "unset_artifact_type"


class ExecutionType(_SystemType):
    """A simple execution type."""

    _base_types = ExecutionBaseType
    _unset_name = "unset_execution_type"


class Dataset(ArtifactType):
    """``mlmd.Dataset``."""

    def __init__(self) -> None:
        super().__init__(ArtifactBaseType.DATASET.number)


class Model(ArtifactType):
    """``mlmd.Model``."""

    def __init__(self) -> None:
        super().__init__(ArtifactBaseType.MODEL.number)


class Statistics(ArtifactType):
    """``mlmd.Statistics``."""

    def __init__(self) -> None:
        super().__init__(ArtifactBaseType.STATISTICS.number)


class Metrics(ArtifactType):
    """``mlmd.Metrics``."""

    def __init__(self) -> None:
        super().__init__(ArtifactBaseType.METRICS.number)


class Train(ExecutionType):
    """``mlmd.Train``."""

    def __init__(self) -> None:
        super().__init__(ExecutionBaseType.TRAIN.number)


class Transform(ExecutionType):
    """``mlmd.Transform``."""

    def __init__(self) -> None:
        super().__init__(ExecutionBaseType.TRANSFORM.number)


class Process(ExecutionType):
    """``mlmd.Process``."""

    def __init__(self) -> None:
        super().__init__(ExecutionBaseType.PROCESS.number)


class Evaluate(ExecutionType):
    """``mlmd.Evaluate``."""

    def __init__(self) -> None:
        super().__init__(ExecutionBaseType.EVALUATE.number)


class Deploy(ExecutionType):
    """``mlmd.Deploy``."""

    def __init__(self) -> None:
        super().__init__(ExecutionBaseType.DEPLOY.number)
