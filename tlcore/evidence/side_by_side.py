"""Runs side by side: their settings in words, those that differ first, and what each reached."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tlcore import datasets, heads, sources
from tlcore.errors import LabError
from tlcore.features import freezing
from tlcore.sentences import Sentence, join, verbatim
from tlcore.spec import ByHand, ComparisonResult, Evaluation, ProofRow, Spec
from tlcore.store import Run, Store

from . import ways
from .contest import MODEL, Entrant
from .method import method_of

MOST_MARKS = 2  # settings that a label names
MOST = 6  # runs: more cannot be told apart on one chart

# What the fields of the specs that ship are called; another field goes by its own name.
NAMES = {
    "source": Sentence("Source network"),
    "sources": Sentence("Source networks"),
    "target": Sentence("Task"),
    "split": Sentence("Split of the images"),
    "per_class": Sentence("Labels per class"),
    "data.seed": Sentence("Seed of the images"),
    "scale": Sentence("Pixels scaled for the network"),
    "label_noise": Sentence("Share of training labels shuffled"),
    "imbalance": Sentence("Training images of the first class for one of the last"),
    "epochs": Sentence("Epochs"),
    "frozen": Sentence("Frozen layers"),
    "learning_rate": Sentence("Learning rate"),
    "schedule": Sentence("Schedule of the rate"),
    "rate_factor": Sentence("Rate of each block, as a share of the next"),
    "recompiled": Sentence("Compiled again"),
    "patience": Sentence("Patience of early stopping, in epochs"),
    "augment": Sentence("Training images augmented"),
    "class_weight": Sentence("Class weights"),
    "batch_size": Sentence("Batch size"),
    "optimizer": Sentence("Optimizer"),
    "seed": Sentence("Seed"),
    "seeds": Sentence("Seeds"),
    "film": Sentence("Every epoch filmed"),
    "layer": Sentence("Features of layer"),
    "heads": Sentence("Heads"),
    "inputs": Sentence("Fitted on"),
    "curves": Sentence("Learning curves of the heads"),
    "tune": Sentence("Hyperparameters tuned"),
    "ways": Sentence("Ways to learn"),
    "methods": Sentence("Methods"),
    "cuts": Sentence("Cuts"),
    "n_test": Sentence("Test images"),
    "n_steps": Sentence("Minimum training steps"),
    "budget_s": Sentence("Time limit, in seconds"),
    "resumes": Sentence("Goes on from"),
    "model": Sentence("Model"),
    "part": Sentence("Part of the set"),
}
YES, NO, ALL, NOTHING_FROZEN = Sentence("yes"), Sentence("no"), Sentence("all"), Sentence("nothing")


@dataclass(frozen=True)
class Setting:
    """One setting of several runs; None where a run has no such setting."""

    name: Sentence
    values: tuple[Sentence | None, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The values in English, to tell them apart."""
        return tuple(map(str, self.values))

    @property
    def differs(self) -> bool:
        return len(set(self.texts)) > 1


def settings(spec: Spec) -> dict[Sentence, Sentence]:
    """Return what a run was asked to do: each setting's name with its value, in words.

    Examples
    --------
    >>> from tlcore.spec import FineTuneSpec
    >>> found = {str(name): str(value) for name, value in settings(FineTuneSpec()).items()}
    >>> found["Frozen layers"], found["Labels per class"], found["Learning rate"], found["Every epoch filmed"]
    ('conv_1, conv_2', '5', '0.001', 'no')
    """
    return dict(_flat(spec, ""))


def side_by_side(specs: Sequence[Spec]) -> list[Setting]:
    """Return the settings of several runs, those that differ first."""
    each = [settings(spec) for spec in specs]
    found = [Setting(name, tuple(of.get(name) for of in each)) for name in dict.fromkeys(n for of in each for n in of)]
    return sorted(found, key=lambda setting: not setting.differs)


def expanded(runs: Iterable[Run], store: Store) -> list[Run]:
    """Return runs with the runs of its ways in place of a comparison, each once."""
    found: dict[str, Run] = {}
    for run in runs:
        whole = ways.trained(run.result, store) if isinstance(run.result, ComparisonResult) else []
        found |= {part.id: part for part in ([way.run for way in whole] or [run])}
    return list(found.values())


def labels(titles: Sequence[str], specs: Sequence[Spec], say: Callable[[Sentence], str] = str) -> list[str]:
    """Return titles that all differ: those that are alike say what differs, and where nothing does they are numbered.

    Parameters
    ----------
    titles : what the runs are called, one for each spec
    say : gives a Sentence in the reader's language
    """
    marked = list(titles)
    for title in {title for title in titles if list(titles).count(title) > 1}:
        alike = [at for at, other in enumerate(titles) if other == title]
        for at, mark in zip(alike, marks([specs[at] for at in alike], say), strict=True):
            marked[at] = ", ".join(filter(None, (title, mark)))
    counts = Counter(marked)
    return [f"{label}, {at + 1}" if counts[label] > 1 else label for at, label in enumerate(marked)]


def marks(specs: Sequence[Spec], say: Callable[[Sentence], str] = str) -> list[str]:
    """Return what tells each spec from the others, by as few settings as do: "Batch size 32"; "" where nothing does.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from tlcore.spec import FineTuneSpec
    >>> marks([FineTuneSpec(), replace(FineTuneSpec(), batch_size=32)]), marks([FineTuneSpec(), FineTuneSpec()])
    (['Batch size 16', 'Batch size 32'], ['', ''])
    """
    differing = [setting for setting in side_by_side(specs) if setting.differs]
    differing.sort(key=lambda setting: -len(set(setting.texts)))
    chosen: list[Setting] = []
    for setting in differing:
        if len(set(zip(*(each.texts for each in chosen), strict=True))) == len(specs) or len(chosen) == MOST_MARKS:
            break
        chosen.append(setting)
    named = ([(setting.name, setting.values[at]) for setting in chosen] for at in range(len(specs)))
    return [", ".join(f"{say(name)} {say(value) if value else '–'}" for name, value in pairs) for pairs in named]


def entrants(runs: Sequence[Run], named: Sequence[str]) -> list[Entrant]:
    """Return the model of each run that can be held against the others: its network, or the best of its heads.

    Empty where they learned different tasks: accuracies on different images do not compare.

    Parameters
    ----------
    named : a label for each run, which differ
    """
    if len({run.spec.data.target for run in runs}) > 1:
        return []
    return [Entrant(label, run, model_of(run)) for label, run in zip(named, runs, strict=True)]


def model_of(run: Run) -> str:
    """Return the name of the model that stands for a run: "model" for a network, else its best head."""
    table = getattr(run.result, "table", ())
    best = max(table, key=lambda line: line.mean, default=None)
    return f"{best.head}-{best.input}" if best else MODEL


def score(run: Run) -> Evaluation | None:
    """Return how the model that stands for a run did on the test images with the run's own seed."""
    return run.result.tests(model_of(run), run.seed).get(run.seed) if run.final else None


def proof(run: Run) -> Sentence | None:
    """Return whether freezing kept its promise; None where a run freezes and trains no layers."""
    rows: Sequence[ProofRow] = getattr(run.result, "proof", ())
    if not rows:
        return None
    if words := freezing.uncompiled(rows):
        return words
    if wrong := [row.layer for row in rows if not row.ok]:
        return Sentence("Proof failed: {layers}", layers=", ".join(dict.fromkeys(wrong)))
    frozen = sorted({row.layer for row in rows if row.frozen})
    trained = {row.layer for row in rows if not row.frozen}
    if not frozen:
        return Sentence("Nothing was frozen; all {n} layers changed", n=len(trained))
    return Sentence("{n} frozen layers bit for bit unchanged, {m} trained changed", n=len(frozen), m=len(trained))


def forgot(run: Run) -> str:
    """Return how well a run's network knew its source's own task before and after; "" where that was not measured."""
    found = run.result.forgetting
    return found.change if found else ""


def _flat(part: Any, prefix: str, above: str = "") -> Iterable[tuple[Sentence, Sentence]]:
    """Yield the settings of a dataclass and of those inside it."""
    for each in fields(part):
        value = getattr(part, each.name)
        if is_dataclass(value):
            yield from _flat(value, prefix, each.name)
        elif each.name == "by_hand" and not value:
            continue  # the heads' own
        elif isinstance(value, tuple) and value and all(map(is_dataclass, value)):
            for number, item in enumerate(value, 1):
                if isinstance(item, ByHand):
                    yield _by_hand(item)
                    continue
                yield from _flat(item, f"{number}" if len(value) > 1 else prefix)
        else:
            name = NAMES.get(f"{above}.{each.name}") or NAMES.get(each.name) or _own(each.name)
            name = Sentence("Phase {n}: {name}", n=prefix, name=name) if prefix else name
            yield name, _value(each.name, value)


def _by_hand(setting: ByHand) -> tuple[Sentence, Sentence]:
    """Return the name and value of a hyperparameter that was set by hand: "Linear SVM: C", "0.1"."""
    knob = heads.knob(setting.head, setting.name)
    title, value = (knob.title, knob.words(setting.value)) if knob else (verbatim(setting.name), str(setting.value))
    named = Sentence("{head}: {setting}", head=heads.title(setting.head), setting=title)
    return named, value if isinstance(value, Sentence) else verbatim(value)


def _own(field: str) -> Sentence:
    return verbatim(field.replace("_", " ").capitalize())


def _value(field: str, value: Any) -> Sentence:
    if isinstance(value, bool):
        return YES if value else NO
    if value is None:
        if field == "class_weight":
            return Sentence("none")
        return ALL if field in ("per_class", "n_test") else Sentence("–")
    if isinstance(value, tuple | list):
        if not value:
            return NOTHING_FROZEN if field == "frozen" else Sentence("none")
        return join([_value(field, item) for item in value], ", ")
    if isinstance(value, float):
        return verbatim(f"{value:g}")
    if isinstance(value, int):
        return verbatim(f"{value:,}")
    return _title(field, value) if isinstance(value, str) else verbatim(str(value))


def _title(field: str, name: str) -> Sentence:
    """Return what a source, a task or a method is called; its name where nothing here has that any more."""
    with suppress(LabError, KeyError):
        if field in ("source", "sources"):
            return verbatim(sources.info(name).title)
        if field == "target":
            return verbatim(datasets.info(name).title)
        if field in ("heads", "ways", "methods"):
            return method_of(name).title
    if field == "class_weight":
        return Sentence("balanced")
    return verbatim(name) if name else Sentence("–")
