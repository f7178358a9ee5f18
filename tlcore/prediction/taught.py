"""What Home shows before anybody trained: a network that was taught ten digits from five images of each, twice.

Once it began as a shipped source model, once with random weights; the images, the number of steps and the seed are the
same. ``tlcore.evidence.teaching`` makes the files, this module reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tlcore.datasets import ASSETS, read_asset, read_card
from tlcore.errors import DataError, SpecError
from tlcore.evaluation import mean_interval, wilson
from tlcore.spec import InputForm
from tlcore.spec.codec import decode

from .names import ModelName

if TYPE_CHECKING:
    import keras

FOLDER = ASSETS / "taught"
CARD, IMAGES = "card.json", "images.png"
TRANSFER, SCRATCH = WAYS = ("transfer", "scratch")
NAMES = tuple(str(ModelName.taught(way)) for way in WAYS)


@dataclass(frozen=True)
class Share:
    """How many of the test digits were read correctly, with the 95 % interval of that share."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Way:
    """One of the two ways to teach the network: what was chosen on validation images, and what came of it."""

    frozen: tuple[str, ...]
    learning_rate: float
    validation: float  # mean accuracy on validation images over the seeds: what the choice was made by
    n_right: tuple[int, ...]  # of the test digits, for each seed
    sha256: str  # of the file that ships, which is the network of the median seed
    weights_sha256: str


@dataclass(frozen=True)
class Taught:
    """The two ways and what they share, as measured.

    ``seed`` is the one whose networks ship: of ``seeds`` that whose two accuracies lie nearest to their medians.
    """

    source: str
    target: str
    per_class: int
    epochs: int
    n_steps: int
    seeds: tuple[int, ...]
    seed: int
    n_test: int
    n_right_before: int  # of the test digits, by the source model's own answers
    n_right_both: int  # of the test digits, by both networks that ship
    ways: Mapping[str, Way]
    images_sha256: str
    class_names: tuple[str, ...]
    form: InputForm
    date: str
    machine: str
    command: str

    def share(self, way: str) -> Share:
        """Return what the network that ships got right."""
        return _share(self.ways[way].n_right[self.seeds.index(self.seed)], self.n_test)

    def share_of(self, transfer: bool, scratch: bool) -> float:
        """Return of how many test digits the two networks that ship are right, or not, in this way."""
        n_transfer, n_scratch = (self.ways[way].n_right[self.seeds.index(self.seed)] for way in WAYS)
        counts = {
            (True, True): self.n_right_both,
            (True, False): n_transfer - self.n_right_both,
            (False, True): n_scratch - self.n_right_both,
            (False, False): self.n_test - n_transfer - n_scratch + self.n_right_both,
        }
        return counts[transfer, scratch] / self.n_test

    @property
    def share_before(self) -> Share:
        return _share(self.n_right_before, self.n_test)

    def over_seeds(self, way: str) -> Share:
        """Return the mean over all seeds with the 95 % interval of that mean."""
        return Share(*mean_interval([n / self.n_test for n in self.ways[way].n_right]))


def _share(n_right: int, n: int) -> Share:
    return Share(n_right / n, *wilson(n_right, n))


def card() -> Taught:
    """Return what ships. Loads no Keras.

    Raises
    ------
    DataError
        The card is missing or damaged.
    """
    path = FOLDER / CARD
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return _read(path, 0)  # which says what is missing


@lru_cache(maxsize=2)
def _read(path: Path, mtime_ns: int) -> Taught:
    try:
        return decode(Taught, read_card(path), strict=False)
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            "The card {file} that ships with the app is damaged. Install the app again.", file=path.name
        ) from error


@lru_cache(maxsize=2)
def images(sha256: str) -> bytes:
    """Return the training images as one PNG: a column for each class, a row for each of its images.

    Raises
    ------
    DataError
        The file is missing, or its SHA-256 is not that of the card.
    """
    return read_asset(FOLDER / IMAGES, sha256)


def load(way: str) -> "keras.Model":
    """Return the network that ships for one way; it reads items as stored.

    Raises
    ------
    SpecError
        There is no such way.
    DataError
        The file is missing or damaged.
    """
    import keras

    if way not in WAYS:
        raise SpecError("There is no model {name!r}. Pick one from the list.", name=str(ModelName.taught(way)))
    path = FOLDER / f"{way}.keras"
    read_asset(path, card().ways[way].sha256)
    return keras.models.load_model(path, compile=False, safe_mode=True)
