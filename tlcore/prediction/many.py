"""What one model says of many pictures: a row for each, kept beside the pictures, and as CSV."""

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Batch, Given, Stopped
from tlcore.errors import DataError
from tlcore.sentences import NOTHING, Sentence, verbatim
from tlcore.spec import InputForm

from .predictors import verdict
from .serving import Serving

ANSWERS = "answers.json"
AT_ONCE = 64  # pictures between two looks at whether it should stop
BESIDE = 16  # of them on their way to the process that answers at a time: others draw meanwhile
ANSWER_S = 60.0  # a network of photographs is loaded first


@dataclass(frozen=True)
class Row:
    """What a model says of one picture; ``error`` says why it says nothing.

    ``at`` is the position among ``Batch.items``, -1 where it could not be read.
    """

    name: str
    at: int = -1
    label: str = ""
    probability: float = 0.0
    second: str = ""
    second_probability: float = 0.0
    probabilities: tuple[float, ...] = ()
    error: Sentence = NOTHING


@dataclass(frozen=True)
class Answered:
    """A batch with the answers of one model: a row for each picture, those that could not be read last."""

    batch: Batch
    model: str  # its title
    class_names: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def id(self) -> str:
        return self.batch.id


def ask(
    batch: Batch,
    answer: Callable[[np.ndarray], np.ndarray],
    model: str,
    class_names: Sequence[str],
    progress: Callable[[int, int], object] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Answered:
    """Ask a model about every picture of a batch, and keep what it says beside them.

    Parameters
    ----------
    answer : items (n, *form.shape) -> float (n, n_classes), rows sum to 1
    model : what it is called

    Raises
    ------
    Stopped
        Somebody asked.
    DataError
        The model cannot answer.
    """
    found = []
    for at in range(0, len(batch.names), AT_ONCE):
        if stopped():
            raise Stopped("Reading was stopped; nothing was kept.")
        found.append(answer(batch.items(range(at, min(at + AT_ONCE, len(batch.names))))))
        progress(min(at + AT_ONCE, len(batch.names)), len(batch.names))
    shares = np.concatenate(found).astype(np.float64)
    if shares.shape != (len(batch.names), len(class_names)) or not np.isfinite(shares).all():
        raise DataError("The model's answers are not shares of its classes. Train it again.")
    kept = {"model": model, "class_names": list(class_names), "shares": shares.round(6).tolist()}
    part = batch.place / f"{ANSWERS}.part"
    part.write_text(json.dumps(kept), encoding="utf-8")
    os.replace(part, batch.place / ANSWERS)
    return _answered(batch, kept)


def answered(id: str, owner: str = "") -> Answered:
    """Return the answers that are kept of a person's pictures.

    Raises
    ------
    DataError
        They are gone, or somebody else's.
    """
    batch = own_sets.batch(id, owner)
    try:
        return _answered(batch, json.loads((batch.place / ANSWERS).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise DataError("These pictures were not answered. Give the files again.") from error


def _answered(batch: Batch, kept: dict[str, Any]) -> Answered:
    names = tuple(kept["class_names"])
    pairs = zip(batch.names, kept["shares"], strict=True)
    rows = [_row(name, at, names, shares) for at, (name, shares) in enumerate(pairs)]
    rows += [Row(name, error=reason) for name, reason in batch.refused]
    return Answered(batch, kept["model"], names, tuple(rows))


def _row(name: str, at: int, class_names: Sequence[str], shares: Sequence[float]) -> Row:
    said = verdict(class_names, shares)
    return Row(
        name, at, said.label, said.probability, said.second, shares[class_names.index(said.second)], tuple(shares)
    )


def look_and_ask(
    serving: Serving,
    files: Sequence[Given],
    owner: str,
    progress: Callable[[int, int], object],
    stopped: Callable[[], bool],
    *,
    name: str,
    model: str,
    class_names: Sequence[str],
    form: InputForm,
    centred: bool,
    whole: bool = False,
) -> Answered:
    """Read pictures and ask a model about each, through the process that answers everybody.

    Progress counts each picture twice: when it is read, and when it is answered. Raises as ``look_at_many`` and
    ``ask``.
    """
    batch = own_sets.look_at_many(
        files, form, owner, lambda done, total: progress(done, 2 * total), stopped, centred=centred, whole=whole
    )
    n = len(batch.names)
    with ThreadPoolExecutor(BESIDE, "many") as asking:

        def answer(items: np.ndarray) -> np.ndarray:
            said = list(asking.map(lambda item: serving.predict(item, [name], ANSWER_S)[name], items))
            if refusal := next((each for each in said if isinstance(each, str)), ""):
                reason = verbatim(refusal)
                raise DataError(reason.template, **reason.values)
            return np.array(said, np.float32)

        return ask(batch, answer, model, class_names, lambda done, total: progress(n + done, 2 * n), stopped)


def as_csv(found: Answered) -> str:
    """Return the answers as CSV with a header line, in their order: a column of its own for each class.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ["file", "answer", "confidence", "second", "second_confidence", *found.class_names, "error"]
    writer.writerow(map(_cell, heads))
    for row in found.rows:
        numbers = [f"{p:.6f}" for p in row.probabilities] or [""] * len(found.class_names)
        shares = (f"{row.probability:.6f}", f"{row.second_probability:.6f}") if row.probabilities else ("", "")
        cells = [row.name, row.label, shares[0], row.second, shares[1]]
        writer.writerow([*map(_cell, cells), *numbers, str(row.error)])
    return text.getvalue()


def _cell(text: str) -> str:
    """Return a stranger's text as a cell.

    Examples
    --------
    >>> _cell("=1+1"), _cell("cat.png")
    ("'=1+1", 'cat.png')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
