"""The nouns: what a source is, what a run is asked to do, what it reports. Standard library only."""

from .curves import MetricPoint, Progress
from .data import SPLITS, DataSpec
from .forms import InputForm
from .jobs import (
    FINAL_STATES,
    FINE_TUNE,
    OPTIMIZERS,
    PIXELS,
    SCRATCH,
    ExampleSpec,
    FineTuneSpec,
    HeadSpec,
    Input,
    Phase,
    RunState,
    Spec,
    SweepSpec,
    from_json,
    to_json,
)
from .networks import LayerInfo, OwnModel, SourceInfo
from .ranges import RANGES, check_choice, check_number
from .results import Cell

__all__ = [
    "Cell",
    "DataSpec",
    "ExampleSpec",
    "FINAL_STATES",
    "FINE_TUNE",
    "FineTuneSpec",
    "HeadSpec",
    "Input",
    "InputForm",
    "LayerInfo",
    "MetricPoint",
    "OPTIMIZERS",
    "OwnModel",
    "PIXELS",
    "Phase",
    "Progress",
    "RANGES",
    "RunState",
    "SCRATCH",
    "SPLITS",
    "SourceInfo",
    "Spec",
    "SweepSpec",
    "check_choice",
    "check_number",
    "from_json",
    "to_json",
]
