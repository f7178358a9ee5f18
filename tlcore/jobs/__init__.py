"""Kinds of runs, and how a claimed one is executed."""

from .compare_heads import CompareHeads
from .comparison import Comparison
from .evaluate import Evaluate
from .example import Example
from .fine_tune import FineTune
from .job import JOBS, Job, Left, can_go_on, check, describe, of, register, work
from .sweep import Sweep

for _job in (FineTune(), CompareHeads(), Comparison(), Sweep(), Example(), Evaluate()):
    register(_job)

__all__ = ["JOBS", "Job", "Left", "can_go_on", "check", "describe", "of", "register", "work"]
