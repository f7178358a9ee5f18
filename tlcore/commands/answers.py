"""The command that predicts: pictures in, one line of JSON out for each."""

import json
import re
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tlcore import inputs, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.prediction import ModelName, own_heads, taught
from tlcore.prediction.programs import as_words
from tlcore.sentences import Sentence
from tlcore.spec import InputForm
from tlcore.store import Store
from tlcore.translation import _, shown

from . import console, history, many_pictures

MODEL = "digits"  # the drawing model
MOST_BYTES = 100_000_000  # of a picture file: more is none


def predict(options: Namespace) -> int:
    """Print one JSON line for each picture; what cannot be read has its sentence and does not keep the others."""
    if options.list:
        return list_models(options)
    if not options.files:
        raise SpecError("Name at least one picture file, or ask for the models with --list.")
    name = find_model(options.home, options.model)
    if many_pictures.asked_for(options):
        return many_pictures.predict(options, name)
    form, whole = prediction.how_it_reads(name, options.home)
    model: prediction.Predictor | None = None
    code = console.OK
    for path in options.files:
        try:
            item = read_item(path, form, options.normalise, whole)
        except DataError as error:
            console.tell(f"{path}: {shown(error.sentence)}")
            code = console.BAD
            continue
        with console.quiet():  # the model is loaded for the first picture that can be read
            model = model or prediction.predictor(name, options.home)
            answer = model.predict_proba(item[None])[0]
        console.say(
            json.dumps({"file": str(path), "model": ModelName.parse(name).short, **as_words(model.class_names, answer)})
        )
    return code


def list_models(options: Namespace) -> int:
    runs = Store(options.home).list(states=("done", "stopped"), limit=history.ALL)
    models = prediction.available(runs, (*sources.offered(), *sources.uploaded()))
    models += prediction.of_own(own_heads.cards())
    rows = [
        [ModelName.parse(info.name).short, info.kind, shown(info.title), " ".join(info.class_names)] for info in models
    ]
    values = [{**asdict(info), "name": ModelName.parse(info.name).short, "title": str(info.title)} for info in models]
    return console.show(options, values, console.table([_("name"), _("kind"), _("title"), _("classes")], rows))


def find_model(home: Path, text: str) -> str:
    """Return the full name of a model: of a shipped one, of a run, or of RUNID/HEAD-INPUT; ids may be shortened.

    Those that Home shows go by their full names, ``taught:transfer`` and ``taught:scratch``.

    The run store is opened only for a run's model.

    Raises
    ------
    SpecError
        There is none, or the run left several; the message lists what there is.
    """
    if text in taught.NAMES:
        return text
    if own_heads.is_own(text):
        return str(ModelName.own(own_heads.info(text).name))
    shipped = [card.name for card in (*sources.offered(), *sources.uploaded()) if card.answers]
    if text in shipped:
        return str(ModelName.source(text))
    run_id, _slash, head = text.partition("/")
    if not head and not re.fullmatch("[0-9a-f]{6,16}", run_id):
        raise SpecError(
            "There is no model {text!r}. Pick one of: {shipped}, or a run's; predict --list shows them all.",
            text=text,
            shipped=", ".join(shipped),
        )
    run = history.find_run(Store(home), run_id)
    left = {ModelName.parse(info.name).short: info.name for info in prediction.of_run(run)}
    wanted = f"{run.id}/{head}" if head else run.id
    if not head and len(left) == 1:
        return next(iter(left.values()))
    if wanted not in left:
        raise SpecError(
            "There is no model {text!r}. Run {run_id} has: {left}.",
            text=text,
            run_id=run.id,
            left=", ".join(left) or Sentence("none, it is {state}", state=run.state),
        )
    return left[wanted]


def read_item(path: Path, form: InputForm, normalise: bool, whole: bool = False) -> np.ndarray:
    """Return a file as an item of ``form``; ``whole``: as it is, not as ink.

    Raises
    ------
    DataError
        It is missing, not such a file, damaged, too large, blank or a lone dot.
    """
    try:
        if not path.exists():
            raise DataError("There is no such file.")
        if not path.is_file():
            raise DataError("This is not a file.")
        if path.stat().st_size > MOST_BYTES:
            raise DataError("This file is larger than {most:,} bytes.", most=MOST_BYTES)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError("This file cannot be read ({reason}).", reason=getattr(error, "strerror", error)) from error
    item = inputs.modality(form.modality).accept(content, form, **_options(normalise, whole))
    if item is None:
        raise DataError("This file is blank: there is nothing to read.")
    return item


def _options(normalise: bool, whole: bool) -> dict[str, bool]:
    """Return what a kind of input is told beside a file: only what is not its own way."""
    return {**({} if normalise else {"centred": False}), **({"whole": True} if whole else {})}
