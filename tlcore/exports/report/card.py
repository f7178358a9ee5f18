"""The model card.

References
----------
Mitchell et al. (2019), "Model cards for model reporting".
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from tlcore import __version__, datasets, evaluation, sources
from tlcore.datasets import DatasetInfo
from tlcore.errors import LabError
from tlcore.evaluation.words import accuracy_words
from tlcore.evidence import side_by_side
from tlcore.sentences import NOTHING, Sentence, join, percent
from tlcore.spec import ComparisonResult
from tlcore.store import Run, Store

from . import found
from .asked import when
from .writer import Words, Writer


def card(writer: Writer, run: Run, store: Store) -> str:
    """Return the nine sections of a model card; of a comparison its runs have cards of their own."""
    if isinstance(run.result, ComparisonResult):
        return ""
    source = Sentence("After Mitchell et al. (2019), Model cards for model reporting.")
    heading = writer.heading(Sentence("Model card"))
    rows = writer.facts((name, words) for name, words in _sections(writer, run))
    return f'<div class="card">{heading}{writer.paragraph(source, kind="note")}{rows}</div>'


def _sections(writer: Writer, run: Run) -> Iterator[tuple[Words, Words]]:
    task = _task(run)
    title = task.title if task else run.spec.data.target
    yield Sentence("Model details"), _details(writer, run)
    yield (
        Sentence("Intended use"),
        Sentence(
            "To learn and to show how transfer learning works, on images like those of {task}. It was neither made nor "
            "tested to decide anything about people.",
            task=title,
        ),
    )
    yield Sentence("Factors"), _factors(run)
    yield (
        Sentence("Metrics"),
        Sentence("Accuracy on test images, with its 95 % interval (Wilson); precision, recall and F1 of each class."),
    )
    yield Sentence("Evaluation data"), _evaluation(run, title)
    yield Sentence("Training data"), _training(run, task, title)
    yield Sentence("Quantitative analyses"), _quantitative(run)
    yield (
        Sentence("Ethical considerations"),
        Sentence(
            "Who or what is rare among the training images is recognised less well. Where images show people, ask them "
            "before you pass the images or this report on."
        ),
    )
    yield Sentence("Caveats and recommendations"), join(list(found.limits(writer, run)))


def _task(run: Run) -> DatasetInfo | None:
    with suppress(LabError):
        return datasets.info(run.spec.data.target)
    return None


def _details(writer: Writer, run: Run) -> Sentence:
    model = found.model_title(writer, run, side_by_side.model_of(run))
    network, begun = run.spec.source, NOTHING
    with suppress(LabError):
        source = sources.info(run.spec.source)
        network = source.title
        begun = Sentence("That learned from {task}.", task=source.dataset) if source.dataset else NOTHING
    made = Sentence(
        "{model}, made with Transfer Lab {version} on {day}, beginning with the network {source}.",
        model=model,
        version=__version__,
        day=when(run.finished).partition(" ")[0] or "–",
        source=network,
    )
    classes = Sentence("Its classes: {classes}.", classes=", ".join(run.result.class_names))
    return join([each for each in (made, begun, classes) if each])


def _factors(run: Run) -> Sentence:
    """Return for which class it does worst, and what was not looked at."""
    test = side_by_side.score(run)
    unseen = Sentence("Who made the images, with what and where was not recorded, so no groups were compared.")
    if test is None or not test.confusion:
        return unseen
    rows = evaluation.per_class(np.array(test.confusion))
    worst = min((i for i, row in enumerate(rows) if row["n"]), key=lambda i: rows[i]["recall"], default=None)
    if worst is None:
        return unseen
    weakest = Sentence(
        "It does worst for {weakest}: of these images it finds {recall}.",
        weakest=run.result.class_names[worst],
        recall=percent(rows[worst]["recall"]),
    )
    return join([weakest, unseen])


def _evaluation(run: Run, title: str) -> Sentence:
    test = side_by_side.score(run)
    return Sentence("{n:,} test images of {task}, none of which was trained on.", n=test.n if test else 0, task=title)


def _training(run: Run, task: DatasetInfo | None, title: str) -> Sentence:
    n = getattr(run.result, "n_trained", 0)
    parts = [Sentence("Labelled images of {task}, drawn with the seed {seed}.", task=title, seed=run.seed)]
    if n:
        parts = [
            Sentence("{n:,} labelled images of {task}, drawn with the seed {seed}.", n=n, task=title, seed=run.seed)
        ]
    if task and task.attribution:
        parts.append(Sentence("Where they come from: {attribution}.", attribution=task.attribution.rstrip(".")))
    if spoiled := datasets.spoiled(run.spec.data):
        parts.append(Sentence("Changed on purpose: {changes}.", changes=join(spoiled, ", ")))
    return join(parts)


def _quantitative(run: Run) -> Sentence:
    test = side_by_side.score(run)
    more = Sentence("Class by class and by certainty: above.")
    return join([accuracy_words(test), more]) if test else more
