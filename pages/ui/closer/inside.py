"""Why a model answers as it does, in pictures: where it looks, the nearest training images, what every layer sees."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.components.layer_picker import members
from pages.ui.inputs import pictures
from pages.ui.inputs.answers import gallery, in_words, span, titles
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import datasets, inputs
from tlcore.errors import LabError
from tlcore.inspection import Explanation, HeatMap, Nearest, Seen, explain, networks, seen
from tlcore.prediction import ModelName, PredictorInfo, verdict
from tlcore.sentences import Sentence
from tlcore.spec import InputForm, LayerInfo, SourceInfo

N_SAMPLES = 12


def asked(function: Any, *arguments: Any) -> Any:
    """Return what a function answers in the process beside the server.

    Raises
    ------
    LabError
        Whatever the function or the process says.
    """
    with st.spinner(_("Computing; the first time takes a few seconds.")):
        return state.lab().what_if.ask(function, *arguments)


def why(item: np.ndarray, infos: Sequence[PredictorInfo], chosen: PredictorInfo) -> None:
    """Offer to explain a model's answer to the drawing at hand, first the chosen one's.

    Nothing is computed before the button is pressed.
    """
    box = st.expander(_("Why this answer?"), key="why", icon=":material/visibility:", on_change="rerun")
    if not box.open:
        return
    with box:
        called = titles(infos)
        first = list(called).index(chosen.name)
        name = st.selectbox(_("Model"), list(called), index=first, format_func=called.__getitem__, key="why_model")
        pressed = st.button(_("Explain this image"), key="why_now", icon=":material/visibility:")
        if pressed:  # kept, so that the pen does not ask again with every stroke
            state.put(why_shown=(name, item, _explained(name, item)))
        shown = state.get("why_shown")
        if shown and shown[0] == name and shown[2] is not None:
            if not np.array_equal(shown[1], item):
                st.caption(_("The drawing has changed since. Press the button again to explain it."))
            form = next(info.form for info in infos if info.name == name)
            explanation(shown[2], inputs.modality(form.modality).preview(shown[1]), "why_layer")


def _explained(name: str, item: np.ndarray) -> Explanation | None:
    try:
        return asked(explain, name, item, str(state.lab().folder))
    except LabError as error:
        st.warning(tell(error))
        return None


def explanation(found: Explanation, picture: np.ndarray, key: str) -> None:
    """Show where a model looks, the nearest training images and the activations of a layer.

    Parameters
    ----------
    picture : of the item, uint8
    key : of the widget that picks the layer
    """
    said = verdict(found.class_names, [float(p) for p in found.probabilities])
    st.markdown(_("The model says: **{words}**").format(words=plain(in_words(said))))
    left, right = st.columns(2, gap="medium")
    with left:
        _heat(found.heat, picture, found.class_names)
    with right:
        _nearest(found.nearest)
    if found.activations:
        _every_layer(found.activations, key)


def _heat(heat: HeatMap | Sentence, picture: np.ndarray, names: Sequence[str]) -> None:
    st.markdown(_("**Where it looks**"))
    if isinstance(heat, Sentence):
        st.caption(plain(shown(heat)))
        return
    name = names[heat.label]
    if heat.highest <= 0:
        st.caption(_("Nothing in this image counts towards {name}.").format(name=plain(name)))
        return
    words = _("the image; the pinker a spot, the more it counts towards {name}").format(name=name)
    st.html(
        f'<img src="{pictures.overlay(picture, heat.heat)}" alt="{escape(words)}" '
        'style="width:168px;height:168px;image-rendering:pixelated;border-radius:.4rem">'
    )
    st.caption(
        _(
            "The pinker a spot, the more it counts towards {name}: no colour adds nothing, full pink adds "
            "the most in this image ({highest:.2g} to the score). What counts against {name} is left out, and each "
            "image has its own scale, so do not compare the colours of two. Grad-CAM at {layer} "
            "(Selvaraju et al. 2017)."
        ).format(name=plain(name), highest=heat.highest, layer=heat.layer)
    )


def _nearest(nearest: Nearest | Sentence) -> None:
    st.markdown(_("**The nearest training images**"))
    if isinstance(nearest, Sentence):
        st.caption(plain(shown(nearest)))
        return
    captions = [f"{label}: {d:.1f}" for label, d in zip(nearest.labels, nearest.distances, strict=True)]
    st.html(gallery(nearest.images, captions))
    st.caption(
        _(
            "Nearest in the features of {layer}, among {n:,} images this model learned from, with their class and "
            "distance; a typical training image is {typical:.1f} away."
        ).format(layer=nearest.layer, n=nearest.n, typical=nearest.typical)
    )


def _every_layer(activations: Sequence[tuple[str, np.ndarray]], key: str) -> None:
    values = dict(activations)
    st.markdown(_("**What each layer makes of it**"))
    layer = st.segmented_control(
        _("Layer"),
        list(values),
        default=next(iter(values)),
        required=True,
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )
    sheet(values[layer], layer)


def sheet(found: np.ndarray, layer: str) -> None:
    """Show activations, (h, w, channels) or (units,), as grey tiles with what they are."""
    shape = " × ".join(map(str, found.shape))
    words = _("activations of {layer}").format(layer=layer)
    st.html(f'<img src="{pictures.sheet(found)}" alt="{escape(words)}" style="max-width:100%;border-radius:.3rem">')
    unit = (
        _("each tile is one channel, at its place in the image")
        if found.ndim == 3
        else _("each square is one unit, row by row")
    )
    st.caption(
        _("{layer}: {shape}; {unit}. Black is 0 or less, white is {highest:.2g}, the largest here.").format(
            layer=layer, shape=shape, unit=unit, highest=float(found.max())
        )
    )


@st.fragment
def layer_inside(source: SourceInfo, block: str, on_close: Callable[[], None]) -> None:
    """Show what a layer of a source looks for, its filters, and what it makes of a drawing or a test image.

    Parameters
    ----------
    block : as it is drawn: a layer, or several that are one block; of these a person picks
    on_close : called by the button that puts it away
    """
    with st.container(border=True, key="inside"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(plain(_("Inside {layer}").format(layer=block)), anchor=False)
            st.button(_("Close"), key="inside_close", icon=":material/close:", on_click=on_close)
        layer = _layer_of(source, block)
        target = _target_for(source.form)
        if target is None:
            st.info(_("No installed data set has images that this source can read."))
            return
        item, picture = _item(target, source.form)
        try:
            answer = asked(seen, str(ModelName.source(source.name)), item, str(state.lab().folder))
            kernels = asked(networks.filters, source.name, layer.name) if layer.type == "Conv2D" else None
        except LabError as error:
            st.warning(tell(error))
            return
        left, right = st.columns(2 if kernels is not None else [1, 3], gap="medium")
        with left:
            if kernels is not None:
                _filters(layer.name, kernels)
            else:
                st.html(gallery([picture], [_("the image")]))
        with right:
            _activations(dict(answer.activations), layer)
        st.caption(plain(_calls(source, answer)))


def _layer_of(source: SourceInfo, block: str) -> LayerInfo:
    """Return the layer that is shown of a block; of several that show something a person picks one."""
    layers = {layer.name: layer for layer in members(source.layers, block) if layer.cut or layer.type == "Conv2D"}
    layers = layers or {layer.name: layer for layer in members(source.layers, block)}
    if len(layers) == 1:
        return next(iter(layers.values()))
    name = st.selectbox(_("Layer"), list(layers), index=len(layers) - 1, key=f"inside_layer_{block}")
    return layers[name]


def _item(target: str, form: InputForm) -> tuple[np.ndarray, np.ndarray]:
    """Let a person pick a test image, or what they drew last; return it as the network reads it and as a picture."""
    items, labels = state.samples(target, N_SAMPLES)
    drawn, names = state.get("on_easel"), datasets.info(target).class_names
    if drawn is not None and (drawn.shape != form.shape or drawn.dtype != form.dtype):
        drawn = None
    words = {} if drawn is None else {-1: _("Your drawing")}
    words |= {i: f"{i + 1}" for i in range(len(items))}
    previews = inputs.modality(form.modality).previews(items)
    captions = [f"{i + 1} · {names[label]}" for i, label in enumerate(labels)]
    st.html(gallery(previews, captions))
    number = st.pills(
        _("Which image"),
        list(words),
        format_func=words.__getitem__,
        default=next(iter(words)),
        required=True,
        key="inside_image",
        label_visibility="collapsed",
        wrap=True,
    )
    if drawn is not None and number == -1:
        return drawn, inputs.modality(form.modality).preview(drawn)
    return items[number], previews[number]


def _calls(source: SourceInfo, found: Seen) -> str:
    if not source.class_names:
        return _("The network has no answers yet: each target gets a new last layer.")
    answer = in_words(verdict(found.class_names, [float(p) for p in found.probabilities]))
    words = _("The whole network answers: {answer}. It only knows {names} and calls every image one of them.")
    if not source.trained:
        words = _("The whole network answers: {answer}. It is untrained: its answers are those of random weights.")
    return words.format(answer=answer, names=span(source.class_names))


def _target_for(form: InputForm) -> str | None:
    """Return the chosen data set where it is at hand and has that form, else the first that is."""
    names = [info.name for info in state.targets_on_offer() if info.offline and info.form == form]
    return state.get("target") if state.get("target") in names else next(iter(names), None)


def _filters(layer: str, kernels: np.ndarray) -> None:
    st.markdown(_("**What it looks for: its filters**"))
    words = escape(_("filters of {layer}").format(layer=layer))
    st.html(f'<img src="{pictures.kernels(kernels)}" alt="{words}" style="max-width:100%;border-radius:.3rem">')
    st.caption(
        _(
            "{layer}: {n} filters of {h} × {w}. Grey is 0, white adds, black takes away. If a filter has several "
            "input channels, only the one with the largest weights is shown."
        ).format(layer=plain(layer), n=len(kernels), h=kernels.shape[1], w=kernels.shape[2])
    )


def _activations(values: dict[str, np.ndarray], layer: LayerInfo) -> None:
    st.markdown(_("**What it makes of the image: its activations**"))
    if layer.name not in values:
        st.caption(_("This layer is one branch of its block. The block's output is shown at its last layer."))
        return
    sheet(values[layer.name], layer.name)
