"""Who hears what a piece of work reports while it goes on, and can end it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .curves import MetricPoint, Progress

if TYPE_CHECKING:
    from tlcore.store.checkpoint import Checkpoint

    from .results import Cell


class Listener:
    """Hears a training, a head's fit or a sweep. No hook does anything: override those that you need.

    Examples
    --------
    >>> class Curve(Listener):
    ...     def on_metric(self, point):
    ...         print(point.part, point.x)
    >>> Curve().on_metric(MetricPoint("train", 1.0)), Curve().should_stop()
    train 1.0
    (None, False)
    """

    def on_data(self, data_hash: str) -> None:
        """Hear which images it learns from, as soon as they are loaded."""

    def on_progress(self, progress: Progress) -> None:
        """Hear how far it is; often, so be quick."""

    def on_metric(self, point: MetricPoint) -> None:
        """Hear a point of a curve; often, so be quick."""

    def on_epoch(self, epoch: int, accuracy: float | None) -> None:
        """Hear that so many epochs are finished, with the accuracy on the validation images.

        Called with (0, None) before the first batch. The model has the weights of that moment.
        """

    def on_checkpoint(self, snapshot: "Callable[[], Checkpoint]") -> None:
        """Hear that an epoch is finished from which a later process could go on; ``snapshot`` makes its checkpoint."""

    def on_stop(self, snapshot: "Callable[[], Checkpoint]") -> None:
        """Hear that it ends because it was asked to; ``snapshot`` makes a checkpoint from which it could go on."""

    def on_cell(self, cell: "Cell") -> None:
        """Hear of a finished experiment of a sweep."""

    def should_stop(self) -> bool:
        """Say whether it should end; asked several times a second, never in the middle of a batch."""
        return False


class Hooks(Listener):
    """A listener of functions, for a notebook, a test, or a single hook.

    Examples
    --------
    >>> points = []
    >>> Hooks(on_metric=points.append).on_metric(MetricPoint("train", 1.0))
    >>> len(points)
    1
    """

    def __init__(self, **hooks: Callable[..., Any]):
        for name, hook in hooks.items():
            if not callable(getattr(Listener, name, None)):
                raise TypeError(f"A listener has no hook {name!r}.")
            setattr(self, name, hook)


class Listeners(Listener):
    """Several as one: each hears everything, in their order, and any of them can end it."""

    def __init__(self, *listeners: Listener):
        self.listeners = listeners

    def on_data(self, data_hash: str) -> None:
        for listener in self.listeners:
            listener.on_data(data_hash)

    def on_progress(self, progress: Progress) -> None:
        for listener in self.listeners:
            listener.on_progress(progress)

    def on_metric(self, point: MetricPoint) -> None:
        for listener in self.listeners:
            listener.on_metric(point)

    def on_epoch(self, epoch: int, accuracy: float | None) -> None:
        for listener in self.listeners:
            listener.on_epoch(epoch, accuracy)

    def on_checkpoint(self, snapshot: "Callable[[], Checkpoint]") -> None:
        for listener in self.listeners:
            listener.on_checkpoint(snapshot)

    def on_stop(self, snapshot: "Callable[[], Checkpoint]") -> None:
        for listener in self.listeners:
            listener.on_stop(snapshot)

    def on_cell(self, cell: "Cell") -> None:
        for listener in self.listeners:
            listener.on_cell(cell)

    def should_stop(self) -> bool:
        return any(listener.should_stop() for listener in self.listeners)


NOBODY = Listener()
