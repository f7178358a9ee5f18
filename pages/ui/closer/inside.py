"""Why a model answers as it does, in pictures: where it looks, the nearest training images, what every layer sees."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.inputs import pictures
from pages.ui.inputs.answers import REFERENCE, gallery, in_words, span
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import datasets, inputs, sources
from tlcore.errors import LabError
from tlcore.inspection import Explanation, HeatMap, Nearest, explain, networks
from tlcore.prediction import ModelName, PredictorInfo, verdict
from tlcore.sentences import Sentence
from tlcore.spec import InputForm

N_SAMPLES = 12
BESIDE = 3  # convolutions whose filters are shown side by side; of more a person picks one


def asked(function: Any, *arguments: Any) -> Any:
    """Return what a function answers in the process beside the server.

    Raises
    ------
    LabError
        Whatever the function or the process says.
    """
    with st.spinner(_("Computing; the first time takes a few seconds.")):
        return state.lab().what_if.ask(function, *arguments)


def why(item: np.ndarray, infos: Sequence[PredictorInfo]) -> None:
    """Offer to explain one model's answer to the drawing at hand; nothing is computed before the button is pressed."""
    box = st.expander(_("Why this answer?"), key="why", icon=":material/visibility:", on_change="rerun")
    if not box.open:
        return
    with box:
        titles = {info.name: info.title for info in infos}
        first = list(titles).index(REFERENCE) if REFERENCE in titles else 0
        name = st.selectbox(_("Model"), list(titles), index=first, format_func=titles.__getitem__, key="why_model")
        pressed = st.button(_("Explain this drawing"), key="why_now", icon=":material/visibility:")
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
        _activations(found.activations, key)


def _heat(heat: HeatMap | Sentence, picture: np.ndarray, names: Sequence[str]) -> None:
    st.markdown(_("**Where it looks**"))
    if isinstance(heat, Sentence):
        st.caption(plain(shown(heat)))
        return
    name = names[heat.label]
    if heat.highest <= 0:
        st.caption(_("No place of the image speaks for {name}.").format(name=plain(name)))
        return
    words = _("the image, the more orange the more a place speaks for {name}").format(name=name)
    st.html(
        f'<img src="{pictures.overlay(picture, heat.heat)}" alt="{escape(words)}" '
        'style="width:168px;height:168px;image-rendering:pixelated;border-radius:.4rem">'
    )
    st.caption(
        _(
            "The more orange, the more that place speaks for {name}: no colour adds nothing, full orange adds the "
            "most in this image ({highest:.2g} to the score). What speaks against {name} is left out, and each image "
            "has its own scale, so do not compare the colours of two. Grad-CAM at {layer} (Selvaraju et al. 2017)."
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


def _activations(activations: Sequence[tuple[str, np.ndarray]], key: str) -> None:
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
    found = values[layer]
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
def look_inside() -> None:
    """Show the filters of the chosen source, and what its layers make of a test image; folded until opened."""
    box = st.expander(
        _("Look inside: filters, and what every layer makes of an image"),
        key="look_inside",
        icon=":material/frame_inspect:",
        on_change="rerun",
    )
    if not box.open:
        return
    with box:
        source = state.get("source")
        target = _target_for(sources.info(source).form)
        if target is None:
            st.info(_("No data set at hand has items that this source reads."))
            return
        items, labels = state.samples(target, N_SAMPLES)
        names = datasets.info(target).class_names
        shown = inputs.modality(datasets.info(target).form.modality).previews(items)
        st.html(gallery(shown, [f"{i + 1} · {names[label]}" for i, label in enumerate(labels)]))
        number = st.pills(
            _("Test image"),
            range(len(items)),
            format_func=lambda i: f"{i + 1}",
            default=0,
            required=True,
            key="inside_image",
            wrap=True,
        )
        known = _("The source only knows {names}: it calls every image one of them.")
        if not sources.info(source).trained:
            known = _("This network is untrained: its answers are those of random weights.")
        st.caption(known.format(names=plain(span(sources.info(source).class_names))))
        found = _explained(str(ModelName.source(source)), items[number])
        if found is not None:
            explanation(found, shown[number], "inside_layer")
            try:
                _filters(source)
            except LabError as error:
                st.warning(tell(error))


def _target_for(form: InputForm) -> str | None:
    """Return the chosen data set where it is at hand and has that form, else the first that is."""
    names = [info.name for info in datasets.catalogue() if info.offline and info.form == form]
    return state.get("target") if state.get("target") in names else next(iter(names), None)


def _filters(source: str) -> None:
    convolutions = [layer.name for layer in sources.info(source).layers if layer.type == "Conv2D"]
    if not convolutions:
        return
    st.markdown(_("**The filters**"))
    if len(convolutions) > BESIDE:
        convolutions = [st.selectbox(_("Convolution"), convolutions, key="inside_filters")]
    for column, layer in zip(st.columns(len(convolutions), gap="medium"), convolutions, strict=True):
        with column:
            found = asked(networks.filters, source, layer)
            words = escape(_("filters of {layer}").format(layer=layer))
            st.html(f'<img src="{pictures.kernels(found)}" alt="{words}" style="max-width:100%;border-radius:.3rem">')
            st.caption(
                _(
                    "{layer}: {n} filters of {h} × {w}. Grey is 0, white adds, black takes away. A filter with many "
                    "inputs shows the one it weighs most."
                ).format(layer=layer, n=len(found), h=found.shape[1], w=found.shape[2])
            )
