"""Sets that Keras downloads once and keeps: Fashion-MNIST, and CIFAR-10 in grey."""

import os
import socket
from pathlib import Path

import numpy as np

from tlcore.errors import DataError

from .mnist import FORM
from .pictures import in_grey
from .source import DatasetInfo, DataSource, Raw, catalogue

CONNECT_S = 15  # a download that gets no byte for so long has failed

GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

FASHION_MD5 = {  # of the four raw (unzipped) IDX files, as published
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


class KerasSet(DataSource):
    """The set of that name in ``keras.datasets``; ``kept`` is what Keras keeps last of it, in its folder."""

    def __init__(self, info: DatasetInfo, kept: str):
        self.info, self._kept = info, kept

    def at_hand(self) -> bool:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        return next((home / "datasets").glob(self._kept), None) is not None

    def read(self) -> Raw:
        import keras

        patience = socket.getdefaulttimeout()
        socket.setdefaulttimeout(CONNECT_S)  # Keras sets none: behind a silent firewall it would wait for minutes
        try:
            (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, self.info.name).load_data()
        except Exception as error:  # Keras raises a bare Exception when a download fails
            raise DataError(
                "{title} is not on this computer and could not be downloaded. Connect to the internet once, or pick a "
                "target that ships with the app: {offline}.",
                title=self.info.title,
                offline=", ".join(entry.title for entry in catalogue() if entry.offline),
            ) from error
        finally:
            socket.setdefaulttimeout(patience)
        side = self.info.form.shape[0]
        y_train, y_test = (labels.astype(np.int64).ravel() for labels in (y_train, y_test))
        return Raw(in_grey(x_train, side), y_train, in_grey(x_test, side), y_test)


TASKS = (
    KerasSet(
        DatasetInfo(
            "fashion_mnist", "Fashion-MNIST", GARMENTS, FORM, (6000,) * 10, 10_000, False,
            "Fashion-MNIST by Zalando Research, MIT", "Downloaded once, 30 MB.",
        ),
        "fashion-mnist/t10k-images-idx3-ubyte.gz",
    ),
    KerasSet(
        DatasetInfo(
            "cifar10", "CIFAR-10 in grey", THINGS, FORM, (5000,) * 10, 10_000, False,
            "CIFAR-10 by Alex Krizhevsky", "Downloaded once, 170 MB; made grey and 28×28.",
        ),
        "cifar-10-batches-py*/**/test_batch",
    ),
)  # fmt: skip
