"""A network that a run trained becomes a source for the next run: a copy of its file, and a card with its origin."""

import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tlcore import datasets, sources
from tlcore.errors import SpecError, StoreError
from tlcore.sentences import Sentence
from tlcore.sources import uploads
from tlcore.sources.uploaded import TRAINED, UPLOAD_DIGITS, UPLOADS
from tlcore.spec import SourceInfo
from tlcore.store import Run, shared_home

from .predictors import checked_file, form_of


def why_not(run: Run) -> Sentence:
    """Return why a run leaves no source, in one sentence; an empty one where it does."""
    if not run.final or not run.result.network:
        return Sentence("Run {run_id} left no network. Name a finished fine-tuning.", run_id=run.id)
    if not run.spec.data.scale:
        return Sentence(
            "The network of run {run_id} reads unscaled pixels. Train it with scaling first.", run_id=run.id
        )
    return Sentence("")


def keep(run: Run, folder: Path, title: str = "", owner: str | None = None) -> SourceInfo:
    """Keep the network of a run as a source and return its card; the same run again is the same source.

    Parameters
    ----------
    folder : the data folder of the run
    title : default: the run's name, else what it learned
    owner : default: the run's

    Raises
    ------
    SpecError
        The run left no network, or there are as many own models as there may be.
    DataError
        The file is missing or damaged.
    StoreError
        The data folder cannot be written.
    """
    if reason := why_not(run):
        raise SpecError(reason.template, **reason.values)
    path = checked_file(run, run.result.network, folder)
    owner = run.owner if owner is None else owner
    card = _card(run, title, owner)
    uploads.check_room(card.name, owner)
    try:
        return _copied(path, card)
    except OSError as error:
        raise StoreError(
            "The network could not be kept in the data folder ({reason}). Free some space there and try again.",
            reason=error.strerror or "no reason given",
        ) from error


def name_of(run: Run, owner: str | None = None) -> str:
    """Return what the source of a run's network is called, whether it is kept or not."""
    whose = run.owner if owner is None else owner
    return TRAINED + hashlib.sha256(f"{whose}\n{run.id}".encode()).hexdigest()[:UPLOAD_DIGITS]


def _card(run: Run, title: str, owner: str) -> SourceInfo:
    spec, result = run.spec, run.result
    base, entry = sources.info(spec.source), datasets.info(spec.data.target)
    words = title.strip() or run.name or entry.title
    return replace(
        base,
        name=name_of(run, owner),
        title=words[: uploads.TITLE].strip(),
        dataset=entry.title,
        class_names=result.class_names,
        layers=base.layers_for(len(result.class_names)),
        form=form_of(run),
        seed=run.seed,
        accuracy=run.accuracy,
        n_train=getattr(result, "n_trained", 0),
        n_test=result.test.n if result.test else 0,
        rebuild="",
        sha256="",
        note=f"Trained here on {time.strftime('%Y-%m-%d', time.gmtime(run.finished or run.created))}.",
        measures={},
        owner=owner,
        removed=False,
        own=None,
        task=spec.data.target,
        run=run.id,
        base=spec.source,
    )


def _copied(path: Path, card: SourceInfo) -> SourceInfo:
    """Put the file and its card into the data folder: the card comes last."""
    folder = shared_home() / UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as place:
        copy = Path(place) / path.name
        shutil.copyfile(path, copy)
        card = replace(card, sha256=hashlib.sha256(copy.read_bytes()).hexdigest())
        os.replace(copy, folder / f"{card.name}.keras")
    uploads.write_card(card)
    return card
