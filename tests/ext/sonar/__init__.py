"""An extension for the tests: a kind of input that the lab does not ship, with everything that it needs.

Two ears hear an echo in six bands at eight moments: int16, shape (8, 6, 2). Named in ``TRANSFER_LAB_EXTENSIONS`` as
``ext.sonar``, it registers by one door each.
"""

from pages.ui import runs
from tlcore import datasets, exports, heads, inputs, jobs, sources

from .data import CALLS, SHAPES
from .echo import Sonar
from .head import SonarCentroid
from .run import MeanEcho, Means
from .source import SonarNet, SonarUntrained

inputs.register(Sonar())
datasets.register(CALLS)
datasets.register(SHAPES)
sources.register(SonarNet("sonar_net"))
sources.register(SonarUntrained())
heads.register(SonarCentroid())
jobs.register(MeanEcho())
runs.register("sonar_mean", "ext.sonar.view:MeanView")
exports.register(Means())
