"""A model opened for inspection: what answers, its network, and the images that it learned from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore import features, prediction, sources
from tlcore.errors import SpecError
from tlcore.prediction import ModelName, examining, own_heads, taught
from tlcore.spec import PIXELS, DataSpec, InputForm, Origin
from tlcore.store import Store

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Model:
    """What answers a question about an item, and what can be looked at inside it.

    ``network`` is the whole network or, of a head, the part of the source that it stands on; None where it sees the
    items themselves. ``layer`` is the one whose activations the nearest items are looked for in; ``training`` says
    which items it learned from, None where that is not known.
    """

    class_names: tuple[str, ...]
    form: InputForm
    predict_proba: Callable[[np.ndarray], np.ndarray]
    network: "keras.Model | None"
    layer: str
    is_head: bool
    training: DataSpec | None


@lru_cache(maxsize=8)
def opened(name: str, folder: str) -> Model:
    """Open a source, one of Home's two networks, a run's network or a head by its name as a predictor.

    Raises
    ------
    SpecError, DataError
        There is no such model, or a file of it is missing or damaged.
    """
    asked = ModelName.parse(name)
    if asked.kind == "source":
        card = sources.info(asked.id)
        data = DataSpec(card.task, per_class=None) if card.task and card.trained else None
        return _network(card.class_names, card.form, sources.load(asked.id), data)
    if asked.kind == "taught":
        home = taught.card()
        data = DataSpec(home.target, per_class=home.per_class, seed=home.seed)
        return _network(home.class_names, home.form, taught.load(asked.id), data)
    if asked.kind == "own":
        card = own_heads.info(asked.id)
        origin = replace(card.origin, source=card.source)
        return _head(origin, prediction.predictor(name, Path(folder)))
    run = Store(Path(folder)).get(asked.id) if asked.kind in ("run", "head") else None
    if run is None or asked.kind == "run" and not run.result.network:
        raise SpecError("There is no model {name!r}. Pick one from the list.", name=name)
    if asked.kind == "run":
        names, form = run.result.class_names, prediction.form_of(run)
        return _network(names, form, prediction.load_model(run, Path(folder)), run.spec.data)
    answers = prediction.predictor(name, Path(folder))
    row = next(row for row in run.result.heads if row.file == f"heads/{asked.file}")
    return _head(examining.origin_of(run, row), answers)


def _network(names: tuple[str, ...], form: InputForm, model: "keras.Model", data: DataSpec | None) -> Model:
    layers = sources.describe(model)
    layer = features.last_hidden(layers).layer if len(features.cut_points(layers)) > 1 else PIXELS
    return Model(names, form, features.compiled(model), model, layer, False, data)


def _head(origin: Origin, answers: prediction.Predictor) -> Model:
    names, data = origin.class_names, origin.data
    if origin.input == PIXELS:
        return Model(names, answers.form, answers.predict_proba, None, PIXELS, True, data)
    source = sources.load(origin.source, seed=origin.seed, scale=origin.scale)
    part = features.submodel(source, origin.layer)
    return Model(names, answers.form, answers.predict_proba, part, origin.layer, True, data)
