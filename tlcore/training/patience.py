"""Early stopping: end a training that no longer gets better, and keep the weights of its best epoch."""

from dataclasses import dataclass


@dataclass
class Patience:
    """Watches the validation loss, as ``keras.callbacks.EarlyStopping(restore_best_weights=True)`` does.

    JSON values, for a checkpoint.

    Examples
    --------
    >>> watch = Patience(2)
    >>> [watch.better(epoch, loss) for epoch, loss in enumerate((0.5, 0.4, 0.4, 0.6), start=1)], watch.epoch, watch.over
    ([True, True, False, False], 2, True)

    References
    ----------
    Prechelt (1998), "Early stopping - but when?"
    """

    most: int  # epochs in a row without a better loss
    loss: float | None = None  # the best so far
    epoch: int = 0  # that had it
    waited: int = 0  # epochs since

    @property
    def over(self) -> bool:
        return self.waited >= self.most

    def better(self, epoch: int, loss: float) -> bool:
        """Take note of an epoch's loss; return whether it is the best so far."""
        if self.loss is None or loss < self.loss:
            self.loss, self.epoch, self.waited = loss, epoch, 0
            return True
        self.waited += 1
        return False
