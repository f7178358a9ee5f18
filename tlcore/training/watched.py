"""The images of a film that are shown one by one: those on which several networks disagree, or the first there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .film import FOLDER, N_WATCHED, PICTURES, SHARES, Answer, answered, cast


@dataclass(frozen=True)
class Watched:
    """Some images of a film: pictures, uint8 (n, h, w) or (n, h, w, 3), true classes, and the answers by epoch."""

    images: np.ndarray
    labels: tuple[int, ...]
    answers: Mapping[int, tuple[Answer, ...]]


@dataclass(frozen=True)
class Chosen:
    """Which images of a film were chosen: their places, the first ``n_differ`` of them answered differently.

    ``n_differ`` counts all images of the film whose answers differ, of ``n`` that there are.
    """

    places: tuple[int, ...]
    n_differ: int
    n: int


def shares(folder: Path) -> dict[int, np.ndarray]:
    """Return what each class gets from the network for every image of the film in a run's ``folder``.

    Returns
    -------
    dict
        epoch -> float16 array, shape (n, k), rows in the order of ``Cast.labels``; empty where a run was filmed by an
        older version, or not at all.
    """
    tables = {}
    for path in sorted((folder / FOLDER).glob(f"{SHARES}[0-9]*.npy")):
        try:
            tables[int(path.stem.removeprefix(SHARES))] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            continue
    return tables


def most_disputed(tables: Sequence[np.ndarray], n: int = N_WATCHED) -> Chosen:
    """Return the images on which several networks differ most.

    First those with the most different answers; among equals those on which the networks' shares lie furthest apart
    (half the sum of the largest less the smallest share of every class). Images on which all agree come last.

    Parameters
    ----------
    tables : of each network, shape (n_images, k): the share of every class

    Examples
    --------
    >>> one, other = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]]), np.array([[0.8, 0.2], [0.1, 0.9], [0.4, 0.6]])
    >>> most_disputed([one, other], 3)
    Chosen(places=(1, 2, 0), n_differ=2, n=3)
    """
    stacked = np.stack([np.asarray(table, dtype=np.float64) for table in tables])  # (networks, n_images, k)
    answers = np.sort(stacked.argmax(axis=2), axis=0)  # (networks, n_images)
    n_answers = 1 + (np.diff(answers, axis=0) != 0).sum(axis=0)
    spread = (stacked.max(axis=0) - stacked.min(axis=0)).sum(axis=1) / 2
    order = np.lexsort((-spread, -n_answers))  # the last key counts first; equals stay in their order
    return Chosen(tuple(int(place) for place in order[:n]), int((n_answers > 1).sum()), len(spread))


def disputed(folders: Sequence[Path], n: int = N_WATCHED) -> Chosen | None:
    """Return the images on which the networks of several films differ most at their ends.

    None where fewer than two films kept their shares, or theirs are not of one task.
    """
    tables = [known[max(known)] for folder in folders if (known := shares(folder))]
    if len(tables) < 2 or len({table.shape for table in tables}) > 1:
        return None
    return most_disputed(tables, n)


def watched(folder: Path, places: Sequence[int]) -> Watched | None:
    """Return the chosen images of a run's film, None where it has no such film."""
    known, tables = cast(folder), shares(folder)
    try:
        images = np.load(folder / FOLDER / PICTURES, allow_pickle=False)[list(places)]
        labels = tuple(known.labels[place] for place in places) if known else ()
    except (OSError, ValueError, EOFError, IndexError):
        return None
    if not labels or not tables:
        return None
    rows = {epoch: table[list(places)].astype(np.float64) for epoch, table in tables.items()}
    return Watched(images, labels, {epoch: answered(table, labels) for epoch, table in rows.items()})
