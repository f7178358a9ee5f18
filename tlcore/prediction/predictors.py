"""Any shipped model, finished run or saved head as one thing that answers: a Predictor."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tlcore import heads, inputs, sources
from tlcore.datasets import own_sets
from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError, LabError, SpecError
from tlcore.features import compiled, submodel
from tlcore.recipes.break_it import is_broken
from tlcore.sentences import Sentence, verbatim
from tlcore.spec import NETWORK, PIXELS, InputForm, Origin, SourceInfo
from tlcore.store import Run, Store

from . import collected, examining, own_heads, signs, taught
from .names import ModelName
from .vectors import vectors

Transfer = Literal["before", "after", "without"]


@dataclass(frozen=True)
class PredictorInfo:
    """Enough to list a predictor without loading it."""

    name: str  # of a ``ModelName``
    title: Sentence
    class_names: tuple[str, ...]
    kind: Literal["source", "run", "head", "own", "taught"]
    form: InputForm  # of what it reads
    broken: bool = False  # made to go wrong, on the page Break it
    transfer: Transfer = "after"  # where it stands in the story: a source, what came of one, or what did without
    made: float | None = None  # Unix time; None where it ships

    @property
    def knows_digits(self) -> bool:
        return any(name.isdigit() for name in self.class_names)


@dataclass(frozen=True)
class Predictor:
    """A model ready to answer: ``predict_proba`` maps items of ``form`` to float32 (n, n_classes).

    ``class_names`` are empty where these change: of what a person teaches.
    """

    name: str
    class_names: tuple[str, ...]
    form: InputForm
    predict_proba: Callable[[np.ndarray], np.ndarray]
    once: bool = False  # it answers slowly, and what it answers changes: it is not kept


def available(runs: Iterable[Run] = (), cards: Iterable[SourceInfo] | None = None) -> tuple[PredictorInfo, ...]:
    """Return the source models (default: the shipped ones) and what finished runs left, without loading any."""
    found = [
        PredictorInfo(
            str(ModelName.source(card.name)),
            verbatim(card.title),
            card.class_names,
            "source",
            card.form,
            transfer="before",
        )
        for card in (sources.offered() if cards is None else cards)
        if card.answers
    ]
    for run in runs:
        found += of_run(run)
    return tuple(found)


def of_home() -> tuple[PredictorInfo, ...]:
    """Return the two networks that Home compares; none where their card is damaged."""
    try:
        card = taught.card()
    except DataError:
        return ()
    titles: dict[str, tuple[Sentence, Transfer]] = {
        taught.TRANSFER: (Sentence("Fine-tuned on Home, {n} labels", n=card.per_class), "after"),
        taught.SCRATCH: (Sentence("From scratch on Home, {n} labels", n=card.per_class), "without"),
    }
    return tuple(
        PredictorInfo(str(ModelName.taught(way)), title, card.class_names, "taught", card.form, transfer=transfer)
        for way, (title, transfer) in titles.items()
    )


def of_run(run: Run) -> list[PredictorInfo]:
    """Return what one run left to answer with: its network, or its heads."""
    names, form, made = run.result.class_names, form_of(run), run.finished
    untrained = sources.untrained(run.spec.source) == run.spec.source
    found = []
    if run.result.network:
        what = Sentence("From scratch") if untrained else Sentence("Fine-tuned")
        transfer: Transfer = "without" if untrained else "after"
        name = str(ModelName.run(run.id))
        found.append(PredictorInfo(name, _titled(run, what), names, "run", form, is_broken(run.spec), transfer, made))
    for row in run.result.heads:
        if row.head not in heads.HEADS:  # an extension's that is gone: nothing here can read it
            continue
        what = heads.title(row.head, getattr(run.spec, "by_hand", ()))
        if row.input == PIXELS:
            what = Sentence("{head} on pixels", head=what)
        transfer = "without" if untrained or row.input == PIXELS else "after"
        name = str(ModelName.head(run.id, Path(row.file).name))
        found.append(PredictorInfo(name, _titled(run, what), names, "head", form, False, transfer, made))
    return found


def of_own(cards: Iterable[own_heads.OwnHead]) -> tuple[PredictorInfo, ...]:
    """Return the heads that were uploaded."""
    found = []
    for card in cards:
        if card.head not in heads.HEADS:
            continue
        origin = card.origin
        what = heads.title(card.head, origin.by_hand)
        title = Sentence("{head}, uploaded: {file}", head=what, file=card.title)
        untrained = origin.input == PIXELS or sources.untrained(card.source) == card.source
        transfer: Transfer = "without" if untrained else "after"
        name = str(ModelName.own(card.name))
        found.append(PredictorInfo(name, title, origin.class_names, "own", origin.form, False, transfer, card.made))
    return tuple(found)


def _titled(run: Run, what: Sentence) -> Sentence:
    """Return what a run left by a name that a person can say: its own, else how many labels it had."""
    if run.name:
        return Sentence("{what}, {name}", what=what, name=run.name)
    n = run.spec.data.per_class
    if n is None:
        return Sentence("{what}, all labels", what=what)
    return Sentence("{what}, {n} labels", what=what, n=n) if n > 1 else Sentence("{what}, 1 label", what=what)


def form_of(run: Run) -> InputForm:
    """Return the form of what a run's models read."""
    return run.result.form or FORM  # a run of before there were others has none


def run_in(folder: Path, run_id: str) -> Run:
    """Return a run of a data folder, whose store is closed again: each one that stays open holds files open."""
    with closing(Store(folder)) as store:
        return store.get(run_id)


def form_of_model(name: str, run_of: Callable[[str], Run]) -> InputForm:
    """Return the form of what a model reads, by its name and without loading it; raises as ``predictor``.

    Parameters
    ----------
    run_of : gives the run of an id: ``get`` of a store that is open, or ``run_in`` a folder
    """
    asked = ModelName.parse(name)
    if asked.kind == "taught":
        return taught.card().form
    if asked.kind == "own":
        return own_heads.info(asked.id).origin.form
    if asked.kind in collected.KINDS:
        return collected.form_of(asked)
    if asked.kind == "signs":
        return signs.form()
    return sources.info(asked.id).form if asked.kind == "source" else form_of(run_of(asked.id))


def reads_whole(name: str, run_of: Callable[[str], Run]) -> bool:
    """Return whether a model takes a picture file as it is, for it learned from own pictures that are no ink."""
    asked, target = ModelName.parse(name), ""
    try:
        if asked.kind in ("run", "head"):
            target = run_of(asked.id).spec.data.target
        elif asked.kind == "source":
            target = sources.info(asked.id).task
        elif asked.kind == "own":
            target = own_heads.info(asked.id).origin.data.target
        return own_sets.is_own(target) and own_sets.card(target).whole
    except LabError:
        return False


def how_it_reads(name: str, folder: Path) -> tuple[InputForm, bool]:
    """Return ``form_of_model`` and ``reads_whole`` of a model of a data folder; raises as ``predictor``."""
    run_of = partial(run_in, folder)
    return form_of_model(name, run_of), reads_whole(name, run_of)


def first_choice(infos: Sequence[PredictorInfo], n_runs: int = 3, n_heads: int = 3) -> list[str]:
    """Return the names that answer unless somebody chooses: all shipped, the newest networks and heads, none broken."""
    limits = {"source": len(infos), "taught": len(infos), "run": n_runs, "head": n_heads, "own": n_heads}
    infos = [info for info in infos if not info.broken]
    return [name for kind, limit in limits.items() for name in [i.name for i in infos if i.kind == kind][:limit]]


def main_choice(infos: Sequence[PredictorInfo]) -> str:
    """Return the name of the one model that answers unless somebody chooses: the newest that learned by transfer.

    Without a run it is Home's, else the first of ``infos``, which holds at least one.
    """
    after = [info for info in infos if info.transfer == "after" and not info.broken]
    newest = max(after, key=lambda info: info.made or 0.0, default=infos[0])
    return newest.name


def predictor(name: str, folder: Path) -> Predictor:
    """Load one predictor by name; files of runs are checked against the hash stored with the run.

    Raises
    ------
    SpecError
        The name has none of the forms, or there is no such model.
    DataError
        A file is missing or damaged.
    """
    asked = ModelName.parse(name)
    if asked.kind == "source":
        card = sources.info(asked.id)
        return Predictor(name, card.class_names, card.form, compiled(sources.load(asked.id)))
    if asked.kind == "taught":
        return Predictor(name, taught.card().class_names, taught.card().form, compiled(taught.load(asked.id)))
    if asked.kind == "own":
        card = own_heads.info(asked.id)
        head = heads.load(own_heads.checked_file(card))
        return _of_head(name, head, replace(card.origin, source=card.source))
    if asked.kind in collected.KINDS:
        return Predictor(name, (), collected.form_of(asked), collected.proba_of(asked), once=asked.kind == "score")
    if asked.kind == "signs":
        return Predictor(name, signs.class_names(), signs.form(), signs.proba_of(asked.id))
    if asked.kind == "outside":
        raise SpecError("There is no model {name!r}. Pick one from the list.", name=name)
    if asked.kind == "head":
        return _of_head(name, *_head_of_run(asked, folder))
    return of_pieces(name, pieces(name, folder))


def _of_head(name: str, head: heads.FittedHead, origin: Origin) -> Predictor:
    """Return a head on the features that it was fitted on as a model that answers under a name."""
    alone, see = heads.answer_alone(head), inputs.modality(origin.form.modality).flat
    if origin.input != PIXELS:
        see = vectors(origin.source, origin.layer, origin.seed, origin.scale)
    return Predictor(name, origin.class_names, origin.form, lambda items: alone.predict_proba(see(items)))


def _head_of_run(asked: ModelName, folder: Path) -> tuple[heads.FittedHead, Origin]:
    """Load a head that a run left, and what it was fitted on."""
    run, file = run_in(folder, asked.id), f"heads/{asked.file}"
    row = next(row for row in run.result.heads if row.file == file)
    return heads.load(checked_file(run, file, folder)), examining.origin_of(run, row)


def checked_file(run: Run, name: str, folder: Path) -> Path:
    """Return the path of a run's file after holding its sha256 against the stored one.

    Raises
    ------
    DataError
        The run has no such file, or it is missing or changed.
    """
    known = run.result.files.get(name)
    if known is None:
        raise DataError("Run {run_id} has no file {name!r}. Train it again.", run_id=run.id, name=name)
    with closing(Store(folder)) as store:
        path = store.run_folder(run.id) / name
        found = _sha256(path)
        if found != known.sha256 and store.files.remote:  # the copy here may be damaged, or of a moment ago
            path.unlink(missing_ok=True)
            store.files.bring(run.id, at_most_s=0.0)
            found = _sha256(path)
    if not found:
        raise DataError("The file {name} of run {run_id} is missing. Train it again.", name=name, run_id=run.id)
    if found != known.sha256:
        raise DataError(
            "The file {name} of run {run_id} is damaged: it is not what the run saved. Train it again.",
            name=name,
            run_id=run.id,
        )
    return path


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def load_model(run: Run, folder: Path) -> Any:
    """Load the network a run saved, in Keras' safe mode; it reads items as stored."""
    import keras

    path = checked_file(run, run.result.network or NETWORK, folder)
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    if run.result.form is not None:
        return model
    return sources.scaled(model, form_of(run), sources.UNIT if run.spec.data.scale else 1.0)  # of an older version


def _beneath(origin: Origin) -> Any:
    """Return the part of a network whose output a head takes; None where it takes the items' own numbers."""
    if origin.input == PIXELS:
        return None
    return submodel(sources.load(origin.source, seed=origin.seed, scale=origin.scale), origin.layer)


@dataclass(frozen=True)
class Pieces:
    """What a model is made of: a Keras network of items as stored, a head on its answers, or both.

    Attributes
    ----------
    network : None where the head takes the items' own numbers
    head : None where the network itself answers, with probabilities
    """

    network: Any
    head: heads.FittedHead | None
    form: InputForm
    class_names: tuple[str, ...]


def pieces(name: str, folder: Path) -> Pieces:
    """Load what a run's network or head is made of; errors as ``predictor``.

    Raises
    ------
    SpecError
        It is neither.
    """
    asked = ModelName.parse(name)
    if asked.kind not in ("run", "head"):
        raise SpecError("Only what a run left can be taken apart. Received: {name!r}.", name=name)
    if asked.kind == "run":
        run = run_in(folder, asked.id)
        return Pieces(load_model(run, folder), None, form_of(run), run.result.class_names)
    head, origin = _head_of_run(asked, folder)
    return Pieces(_beneath(origin), heads.answer_alone(head), origin.form, origin.class_names)


def of_pieces(name: str, made_of: Pieces) -> Predictor:
    """Return what is made of these as a model that answers under a name."""
    network, head = made_of.network, made_of.head
    inner = inputs.modality(made_of.form.modality).flat if network is None else compiled(network)
    if head is None:
        return Predictor(name, made_of.class_names, made_of.form, inner)
    return Predictor(
        name,
        made_of.class_names,
        made_of.form,
        lambda items: head.predict_proba(inner(items).reshape(len(items), -1)),
    )


SURE = 0.6  # below this the first answer is called a guess


@dataclass(frozen=True)
class Verdict:
    """One model's answer to one item, ready to be put in words; ``second`` is the runner-up."""

    label: str
    probability: float
    second: str
    sure: bool


def verdict(class_names: Sequence[str], probabilities: Sequence[float]) -> Verdict:
    """Return what ``probabilities`` say.

    Examples
    --------
    >>> verdict(["0", "1"], [0.1, 0.9])
    Verdict(label='1', probability=0.9, second='0', sure=True)
    """
    order = sorted(range(len(class_names)), key=lambda i: -probabilities[i])
    best, second = order[0], order[1] if len(order) > 1 else order[0]
    return Verdict(
        label=class_names[best],
        probability=float(probabilities[best]),
        second=class_names[second],
        sure=probabilities[best] >= SURE,
    )
