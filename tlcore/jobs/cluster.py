"""The runs of this package on a worker of a cluster: what a server calls there by name."""

from tlcore.engine.custody import Custody

from . import execution

custody = Custody(execution.execute, execution.warm, with_keras=True)
GREET, WORK = f"{__name__}:custody.greet", f"{__name__}:custody.work"
