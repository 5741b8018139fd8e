"""Fixtures of unit tests: a store on a backend that counts its calls. A file whose tests need another has its own."""

from __future__ import annotations

import pytest

from lineage import Store
from tests.unit.counting import CountingBackend, filled


@pytest.fixture
def backend() -> CountingBackend:
    return CountingBackend()


@pytest.fixture
def store(backend: CountingBackend) -> Store:
    return filled(backend)
