"""Recording of work as it is done: runs, steps, what they use and what they make.

It stands on the public methods of :class:`~lineage.Store` alone, so that it records into every store.
"""

from lineage.recorder.functions import Input, Output
from lineage.recorder.recorder import NewStep, Recorder, record
from lineage.recorder.step import Step

__all__ = ["Input", "NewStep", "Output", "Recorder", "Step", "record"]
