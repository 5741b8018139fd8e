"""The tests of `interrupts.py`, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interrupting import run_alone


@pytest.mark.parametrize("way", ["native", "mlmd"])
@pytest.mark.parametrize(
    "test",
    [
        "test_an_interrupt_at_any_moment",
        "test_an_exception_that_another_thread_throws_in",
        "test_the_server_hears_that_a_call_was_interrupted",
        "test_the_server_hears_of_an_interrupt_between_request_and_wait",
    ],
)
def test_interrupts(test: str, way: str) -> None:
    run_alone(Path(__file__).with_name("interrupts.py"), f"{test}[{way}]")
