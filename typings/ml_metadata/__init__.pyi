# The reference implementation, for the differential tests. Its own types are incomplete, and it has no wheels
# for Python >= 3.12, where the type checkers still read those tests: everything in it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
