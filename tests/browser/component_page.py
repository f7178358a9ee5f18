"""What the scratch server shows: ``?show=pad``, and so on, picks what; without it all three components."""

import json
from dataclasses import asdict

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.figure import show_figure
from pages.ui.charts.markup import show_markup
from pages.ui.components import film
from pages.ui.components.descent import descent
from pages.ui.components.file_drop import file_drop
from pages.ui.components.layer_picker import layer_picker, looked
from pages.ui.components.live_chart import LiveRun, Rule, check_view, live_chart
from pages.ui.components.pad import drawing_pad
from pages.ui.evidence import intervals
from pages.ui.inputs import answers
from pages.ui.inputs.answers import Answers
from pages.ui.style import style
from tlcore.inspection.walk import walk
from tlcore.prediction import PredictorInfo
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, InputForm, LayerInfo, Phase
from tlcore.training.film import Answer, Cast, Frame
from tlcore.training.watched import Watched

SEVEN = [{"width": 0.085, "points": [[0.25, 0.25], [0.72, 0.25], [0.45, 0.8]]}]
LAYERS = (
    LayerInfo(0, "conv_1", "Conv2D", (26, 26, 32), 320),
    LayerInfo(1, "pool_1", "MaxPooling2D", (13, 13, 32), 0),
    LayerInfo(2, "conv_2", "Conv2D", (11, 11, 64), 18496),
    LayerInfo(3, "pool_2", "MaxPooling2D", (5, 5, 64), 0),
    LayerInfo(4, "flatten", "Flatten", (1600,), 0),
    LayerInfo(5, "dense_1", "Dense", (64,), 102464),
    LayerInfo(6, "dense_2", "Dense", (10,), 650),
)
PARTS = {"expand": 900, "expand_BN": 96, "expand_relu": 0, "pad": 0, "depthwise": 216, "depthwise_BN": 96}
PARTS |= {"relu": 0, "project": 1152}
DEEP = (  # 154 layers, as MobileNetV2 has
    LayerInfo(0, "Conv1", "Conv2D", (112, 112, 16), 432),
    *(
        LayerInfo(1 + 8 * block + i, f"block_{block}_{part}", part, (56, 56, 24), n * (block + 1))
        for block in range(19)
        for i, (part, n) in enumerate(PARTS.items())
    ),
    LayerInfo(153, "predictions", "Dense", (10,), 12810),
)

RATES = (0.25, 0.9, 1.5, 2.5)
state = st.session_state


def main() -> None:
    st.set_page_config(page_title="Components", layout="wide")
    for name, value in {"rev": 0, "strokes": [], "frozen": (), "finished": [], "reruns": 0}.items():
        state.setdefault(name, value)
    state["reruns"] += 1
    show = st.query_params.get("show", "")
    if show in ("", "pad"):
        show_pad()
    if show in ("", "chart"):
        show_chart()
    if show == "drop":
        state["finished"] += [file_drop("drop", "Your own pictures")]
        say("arrived", [name for name in state["finished"] if name])
    if show == "drop_plain":
        say("arrived", file_drop("drop", "Pictures without labels", classes=False))
    if show == "long":
        live_chart("long", "/test/one", label="A long run")
    if show == "over":
        state["finished"] += [live_chart("over", "/test/one", state="failed")]
        say("over", state["finished"])
        st.button("Rerun")
    if show == "race":
        names = ("frozen", "from_scratch", "all")
        runs = [LiveRun(name, f"/test/{name}", label=name.replace("_", " ")) for name in names]
        live_chart("race", runs=runs, at_a_time=2, together="together" in st.query_params)
    if show == "named":
        runs = [LiveRun(name, f"/test/{name}", label=f"{name}: " + "frozen " * 12) for name in ("frozen", "all")]
        live_chart("named", runs=runs, x_max=30)
    if show == "rules":
        rules = [Rule(x, f"frozen: Conv1 – block_{x}, BatchNormalization") for x in (3, 8)]
        live_chart("rules", "/test/one", label="Fine-tuning", x_max=10, rules=rules)
    if show == "recorded":
        at = [(head, x) for x in range(1, 5) for head in ("fine_tune", "scratch")]
        points = [{"head": head, "input": "", "part": "validation", "x": x, "accuracy": x / 10} for head, x in at]
        live_chart("recorded", runs=[LiveRun("recorded", "", state="done", recorded=points)], measure="error", x_max=4)
    if show == "figure":
        dots = go.Scatter(
            x=[1.5, 4, 2.5], y=["SVM", "Forest", "Dense"], mode="markers", marker={"color": "#009E73", "size": 12}
        )
        show_figure(go.Figure(dots).update_xaxes(title="error, %", range=[0, 5]), "figure", "Error of three heads")
    if show == "markup":
        show_markups()
    if show == "ways":
        show_ways()
    if show == "film":
        show_film()
    if show == "films":
        show_films()
    if show == "descent":
        walked = walk(lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), RATES)
        assert walked
        descent(walked, RATES, RATES.index(st.select_slider("Rate", RATES)), "descent")
    if show in ("", "picker", "deep"):
        show_picker(DEEP if show == "deep" else LAYERS)


def show_markups() -> None:
    """Two claims, and an answer that changes while its buttons stay."""
    st.html(f"<style>{style().decode()}</style>")
    axis = intervals.Axis([(1, "1×"), (4, "4×")], lambda value: value / 5)
    rows = [
        intervals.Row(title, word, kind, 1, [intervals.Mark("5 labels", *values, f"{values[0]}×", good)])
        for title, word, kind, values, good in (
            ("Features beat pixels", "supported", "good", (3.0, 2.0, 4.0), True),
            ("Forests beat SVMs", "refuted", "bad", (9.0, 0.2, 9.0), False),
        )
    ]
    lines = [(row.title, mark.value, float("inf")) for row in rows for mark in row.marks]
    table = intervals.table("Two claims", "times", axis, rows)
    show_markup(table, "claims", "Two claims", ("Claim", "times", "end"), lines)
    info = PredictorInfo("source:two", Sentence("Two"), ("=yes", "no"), "source", InputForm("image", (28, 28, 1)))
    drawn = np.full((28, 28, 1), 80, np.uint8)
    answered = Answers(drawn, found={"source:two": [0.75, 0.25]}) if st.checkbox("Answer") else Answers()
    with st.container(key="answer"):
        st.html(answers.large(info, "Two", answered, drawn[..., 0]))
    answers.save_buttons("answered", ".st-key-answer", "The answer of Two")


def show_pad() -> None:
    st.button("Pick a seven", on_click=replace, kwargs={"strokes": SEVEN})
    st.button("Reset", on_click=replace, kwargs={"strokes": []})
    left, right = st.columns(2)
    with left:
        if st.checkbox("Hide the pad"):
            return
        value = drawing_pad(
            "pad", label="Drawing pad", strokes=state["strokes"], rev=state["rev"], result="It is a seven"
        )
    with right:
        say("pad", value | {"reruns": state["reruns"]})


def show_chart() -> None:
    rules = [Rule(3, "conv_2 unfreezes")]
    ended = live_chart("chart", "/test/one", label="Fine-tuning", x_max=10, rules=rules)
    state["finished"] += [ended] if ended else []
    say("chart", {"finished": state["finished"], "reruns": state["reruns"]})
    st.button("Rerun")


def show_ways() -> None:
    """A comparison: two networks and a head, the error alone; what the person set is said."""
    st.button("Rerun")
    view = check_view(state.get("ways", {}).get("view") or json.loads(st.query_params.get("view", "{}")))
    live_chart(
        "ways",
        runs=[LiveRun("one", "/test/one", steps=4)],
        measure="error",
        x_max=6,
        colours={"scratch": "#CC79A7", "fine_tune": "#009E73", "linear_svm": "#B8A500"},
        view=view,
        on_view=lambda: None,
        reveal=st.query_params.get("reveal", ""),
    )
    say("ways", asdict(view) | {"reruns": state["reruns"]})


def show_film() -> None:
    """Three epochs, and a fourth once the button was pressed: made up, but for their shapes."""
    spec = FineTuneSpec(phases=(Phase(epochs=4, frozen=("conv_1",)),), film=True)
    cast = Cast(("5", "6"), (0, 1) * 6, np.full((12, 28, 28), 99, np.uint8), "MNIST digits 0-4", 1000)
    answers = tuple(Answer(0, 0.5 + i / 30, 0.4) for i in range(12))
    frames = [
        Frame(epoch, {"conv_1": 0.0, "dense_1": epoch / 10}, 1 - epoch / 5, epoch / 5 if epoch else None, answers)
        for epoch in range(4 if st.button("Go on") else 3)
    ]
    maps = {frame.epoch: np.arange(24).reshape(12, 2) * (1.0 + frame.epoch) for frame in frames}
    film.show("film", [film.Reel(spec, cast, frames, maps, "A lane", "#009E73")])


def show_films() -> None:
    """Two lanes of a race, the second one epoch behind; the same two images, which they answer differently."""
    spec = FineTuneSpec(phases=(Phase(epochs=4, frozen=("conv_1",)),), film=True)
    cast = Cast(("5", "6"), (0, 1), np.full((2, 28, 28), 99, np.uint8), "MNIST digits 0-4", 1000)
    reels, together = [], []
    for lane, (title, colour, n) in enumerate((("Frozen", "#009E73", 5), ("From scratch", "#CC79A7", 4))):
        answers = {epoch: (Answer(0, 0.9, 0.9), Answer(lane, 0.6 + epoch / 10, 0.4)) for epoch in range(n)}
        frames = [
            Frame(epoch, {"conv_1": 0.0, "dense_1": epoch / 10 + lane}, None, epoch / 5, said)
            for epoch, said in answers.items()
        ]
        reels.append(film.Reel(spec, cast, frames, title=title, colour=colour))
        together.append(Watched(cast.images, cast.labels, answers))
    film.show("films", reels, together, "One of two is answered differently.")


def show_picker(layers: tuple[LayerInfo, ...]) -> None:
    st.button("All convolutions", on_click=replace, kwargs={"frozen": ("conv_1", "conv_2")})
    scores = {layer.name: 0.9 + layer.index / 2000 for layer in layers if layer.cut} | {"": 0.88}
    options = {"scores": scores if "scored" in st.query_params else None, "opened": state.get("opened", "")}
    say("picker", layer_picker(layers, state["frozen"], key="picker", rev=state["rev"], on_look=look, **options))
    say("opened", state.get("opened", ""))


def look() -> None:
    name = looked(state["picker"], LAYERS)
    state["opened"] = "" if name == state.get("opened") else name


def say(name: str, value: object) -> None:
    """Put what Python knows where a test can read it."""
    with st.container(key=f"said_{name}"):
        st.code(json.dumps(value), language=None)


def replace(**changes: object) -> None:
    state["rev"] += 1
    state.update(changes)


if __name__ == "__main__":  # the test collector imports every module
    main()
