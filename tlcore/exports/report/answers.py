"""Every answer to the test images: confusion with pictures, class by class, the worst answers, calibration."""

from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np

from tlcore import evaluation, inputs, prediction
from tlcore.errors import LabError
from tlcore.evaluation import calibration, outputs
from tlcore.evaluation.outputs import Outputs
from tlcore.evidence import side_by_side
from tlcore.inputs.embedded import thumbnail
from tlcore.sentences import Sentence, between, percent
from tlcore.spec import Evaluation
from tlcore.store import Run, Store

from . import drawing
from .found import model_title
from .writer import Writer

MOST_CLASSES = 12  # whose matrix has pictures in its cells
MOST_WORST = 16
SURE = 0.005  # a gap between certainty and accuracy that is worth a word


@dataclass(frozen=True)
class Kept:
    """What the model that stands for a run answered, with its pictures."""

    run: Run
    store: Store
    said: Outputs

    def picture(self, row: int) -> str:
        """Return a test image as an ``img``."""
        form = prediction.form_of(self.run)
        return _image(inputs.modality(form.modality).preview(self._items[row]))

    @cached_property
    def _items(self) -> np.ndarray:
        return outputs.test_images(self.said.images, self.store.folder, prediction.form_of(self.run))


def kept(run: Run, store: Store) -> Kept | None:
    """Return what was answered; None where that was not kept, or is damaged."""
    if outputs.FILE not in run.result.files:
        return None
    try:
        path = prediction.checked_file(run, outputs.FILE, store.folder)
        found = Kept(run, store, outputs.load(path, side_by_side.model_of(run)))
        found.picture(0)
    except LabError:
        return None
    return found


def answers(writer: Writer, run: Run, store: Store) -> str:
    """Return the confusion matrix, class by class, and the worst answers."""
    test = side_by_side.score(run)
    if test is None or not test.confusion:
        return ""
    answered = kept(run, store)
    parts = [writer.heading(Sentence("Which classes it takes for which"))]
    if getattr(run.result, "table", ()):
        title = model_title(writer, run, side_by_side.model_of(run))
        parts.append(writer.paragraph(Sentence("Of the best head: {head}, with the first seed.", head=title)))
    parts += [_matrix(writer, run, test, answered), _classes(writer, run, test)]
    if answered is not None:
        parts += [_worst(writer, run, answered), _calibration(writer, answered)]
    return "".join(parts)


def _matrix(writer: Writer, run: Run, test: Evaluation, answered: Kept | None) -> str:
    names, counts = run.result.class_names, np.array(test.confusion)
    shown = answered if len(names) <= MOST_CLASSES else None
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for true, name in enumerate(names):
        cells = (_cell(counts, true, answer, shown) for answer in range(len(names)))
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    corner = writer.say(Sentence("true ↓, answered →"))
    table = f'<div class="scroll"><table class="matrix"><tr><th>{corner}</th>{top}</tr>{"".join(rows)}</table></div>'
    caption = Sentence("How many test images of each class (rows) were called what (columns).")
    if shown is not None:
        caption = Sentence(
            "How many test images of each class (rows) were called what (columns), each with the image that the model "
            "was surest about."
        )
    return writer.figure(table, caption)


def _cell(counts: np.ndarray, true: int, answer: int, answered: Kept | None) -> str:
    n, total = int(counts[true, answer]), max(int(counts[true].sum()), 1)
    if not n:
        return "<td></td>"
    picture = ""
    if answered is not None:
        said = answered.said
        rows = np.flatnonzero((said.labels == true) & (said.predicted == answer))
        picture = answered.picture(int(rows[said.probabilities[rows, answer].argmax()])) if len(rows) else ""
    if true == answer:
        return f'<td class="right">{picture}{n:,}</td>'
    return f'<td style="background:rgba(194,24,91,{0.8 * n / total:.3f})">{picture}{n:,}</td>'


def _classes(writer: Writer, run: Run, test: Evaluation) -> str:
    top = [Sentence("class"), Sentence("precision"), Sentence("recall"), Sentence("recall, 95 % interval"), "F1",
           Sentence("test images")]  # fmt: skip
    rows = []
    for i, (name, row) in enumerate(
        zip(run.result.class_names, evaluation.per_class(np.array(test.confusion)), strict=True)
    ):
        low, high = evaluation.wilson(test.confusion[i][i], int(row["n"]))
        shares = (percent(row[each]) for each in ("precision", "recall"))
        rows.append((name, *shares, between(low, high), percent(row["f1"]), int(row["n"])))
    explained = Sentence(
        "Precision: of the images called this class, the share that is. Recall: of the images of this class, the "
        "share that was found. F1: their harmonic mean."
    )
    heading = writer.under(Sentence("Class by class"))
    return heading + writer.table(top, rows) + writer.paragraph(explained, kind="note")


def _worst(writer: Writer, run: Run, answered: Kept) -> str:
    said, names = answered.said, run.result.class_names
    wrong = np.flatnonzero(said.predicted != said.labels)
    if not len(wrong):
        return writer.paragraph(Sentence("No test image was mixed up."))
    losses = evaluation.losses(said.labels, said.probabilities)[wrong]
    rows = wrong[np.argsort(-losses)[:MOST_WORST]]
    pictures = "".join(
        f'<div class="pair">{answered.picture(int(row))}<small>'
        f"{escape(names[said.labels[row]])} → {escape(names[said.predicted[row]])}</small></div>"
        for row in rows
    )
    caption = Sentence("The {n} answers it was most wrong about: true class → answer.", n=len(rows))
    return writer.figure(f'<div class="worst">{pictures}</div>', caption)


def _calibration(writer: Writer, answered: Kept) -> str:
    said = answered.said
    found = calibration.calibration(said.probabilities, said.predicted == said.labels)
    gap = found.confidence - found.accuracy
    verdict = (
        Sentence("too sure of itself")
        if gap > SURE
        else Sentence("less sure than it should be")
        if gap < -SURE
        else Sentence("about as right as it is sure")
    )
    words = Sentence(
        "On average it is {sure} sure and {right} right: {verdict}. Expected calibration error: {ece}.",
        sure=percent(found.confidence),
        right=percent(found.accuracy),
        verdict=verdict,
        ece=percent(found.ece),
    )
    bars = drawing.reliability(
        found.bins, writer.text(Sentence("how sure it was")), writer.text(Sentence("how often it was right"))
    )
    caption = Sentence(
        "Each bar stands for the answers within one range of certainty; the number above it says how many (Guo et al. "
        "2017). A model that is as right as it is sure has its bars on the dashed line."
    )
    heading = writer.heading(Sentence("How far its certainty can be believed"))
    return heading + writer.paragraph(words) + writer.figure(f'<div class="charts">{bars}</div>', caption)


def _image(pixels: np.ndarray) -> str:
    return f'<img alt="" src="{thumbnail(pixels)}">'
