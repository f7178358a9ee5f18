"""scikit-learn's small digits: real handwriting, brought into MNIST's form."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .mnist import DIGITS, FORM
from .pictures import resize
from .source import DatasetInfo, DataSource, Raw
from .splits import draw

MARGIN = 4  # MNIST too: a 20 px digit in a 28 px frame


class Digits8x8(DataSource):
    info = DatasetInfo(
        "digits_8x8",
        "Small digits (scikit-learn)",
        DIGITS,
        FORM,
        (142, 146, 142, 146, 145, 146, 145, 143, 139, 144),
        359,
        True,
        "Optical Recognition of Handwritten Digits by E. Alpaydin and C. Kaynak (UCI), CC BY 4.0",
        "Real handwriting scanned to 8×8 pixels, enlarged to 20×20 and centred as MNIST is.",
    )

    def read(self) -> Raw:
        # scikit-learn's own file, read without importing scikit-learn: the Draw page shows samples in the server.
        found = find_spec("sklearn")
        folder = Path((found.submodule_search_locations or [""])[0]) if found else Path()
        table = np.loadtxt(folder / "datasets" / "data" / "digits.csv.gz", delimiter=",")  # (1797, 65): pixels, label
        pixels = np.round(table[:, :64].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
        labels = table[:, 64].astype(np.int64)
        margin = (MARGIN, MARGIN)
        images = np.pad(resize(pixels, FORM.shape[0] - 2 * MARGIN), ((0, 0), margin, margin))[..., None]
        test = draw(labels, round(len(labels) / 5))  # it does not depend on a run's seed
        train = np.setdiff1d(np.arange(len(labels)), test)
        return Raw(images[train], labels[train], images[test], labels[test])
