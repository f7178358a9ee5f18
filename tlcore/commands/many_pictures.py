"""``predict`` on a folder, a ZIP or with ``--csv``: many pictures, read in a process under limits."""

import json
import os
from argparse import Namespace
from pathlib import Path
from zipfile import is_zipfile

from tlcore import prediction
from tlcore.datasets import own_sets
from tlcore.errors import StoreError
from tlcore.prediction import ModelName, many
from tlcore.prediction.many import Answered
from tlcore.translation import _

from . import console
from .own_pictures import given_files

EVERY = 1000  # pictures between two lines of progress


def asked_for(options: Namespace) -> bool:
    """Return whether a line asks about many pictures: it names folders or a ZIP alone, or wants a CSV."""
    # not Path.is_dir: it raises on a name that is longer than a file's can be
    return bool(options.csv) or all(
        os.path.isdir(path) or os.path.isfile(path) and is_zipfile(path) for path in options.files
    )


def predict(options: Namespace, name: str) -> int:
    """Print one JSON line for each picture, and write them as CSV where that is asked for."""
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done - told >= EVERY:
            told = done
            console.tell(_("{n:,} of {total:,} pictures read").format(n=done, total=total))

    form, whole = prediction.how_it_reads(name, options.home)
    how = {"centred": options.normalise, "whole": whole}
    batch = own_sets.look_at_many(list(given_files(options.files)), form, progress=progress, **how)
    try:
        with console.quiet():
            model = prediction.predictor(name, options.home)
            found = many.ask(batch, model.predict_proba, ModelName.parse(name).short, model.class_names)
        return _told(options, found)
    finally:
        own_sets.discard(batch.id, "")


def _told(options: Namespace, found: Answered) -> int:
    if options.csv:  # first: who reads the lines may have seen enough
        _write(options.csv, found)
    for row in found.rows:
        if row.error:
            console.tell(f"{row.name}: {console.words(row.error)}")
            continue
        shares = dict(zip(found.class_names, row.probabilities, strict=True))
        values = {"file": row.name, "model": found.model, "label": row.label}
        console.say(json.dumps({**values, "probability": shares[row.label], "probabilities": shares}))
    return console.BAD if any(row.error for row in found.rows) else console.OK


def _write(path: Path, found: Answered) -> None:
    try:
        path.write_text(many.as_csv(found), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            "{file} cannot be written ({reason}). Name another file.", file=path, reason=error.strerror
        ) from error
    console.tell(_("{file}: {n:,} rows").format(file=path, n=len(found.rows)))
