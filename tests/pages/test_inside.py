"""Explanations, maps and opened heads on their pages; what is computed elsewhere is handed in."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.closer import open_heads
from pages.ui.inputs import pictures
from pages.ui.runs import tuned
from pages.ui.session import state
from pages.ui.sources import reached
from tlcore.errors import TrainingError
from tlcore.inspection import choices, explanation, forest, maps, nearest, networks, svm, together
from tlcore.lab import Lab
from tlcore.people import Person
from tlcore.prediction.serving import Serving
from tlcore.spec import FineTuneSpec, HeadRow, HeadSpec, Tried
from tlcore.store import Store

ROOT = Path(__file__).resolve().parents[2]
ME = Person("0" * 32)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 28, 28)).astype(np.uint8)
CHOICES = choices.Choices(IMAGES, np.arange(12) % 2, np.linspace(-1, 1, 12))

EXPLAINED = explanation.Explanation(
    ("5", "6"),
    np.array([0.2, 0.8]),
    (("conv_1", RNG.random((26, 26, 4)).astype(np.float16)), ("dense_1", RNG.random(10).astype(np.float16))),
    explanation.HeatMap(RNG.random((28, 28), np.float32), "conv_1", 1, 0.5),
    nearest.Nearest(IMAGES[:8], ("6",) * 8, np.arange(8.0), 20.0, "dense_1", 1000),
)
PLANE = maps.Plane(RNG.random((12, 2), np.float32), 0.5, np.arange(12) % 2)
MAPPED = maps.BeforeAndAfter(IMAGES, np.zeros(12, int), PLANE, PLANE, True)
SVM = svm.OpenedSVM(
    "linear", False, 1.0, None, 12, 12, 1, IMAGES[:2], np.array([0, 1]), np.array([0.5, -0.5]), np.array([1.0, -1.0]),
    0.25, 1.25, svm.Dual(1.0, 1.0, 0.5, 0.0, 0.0, 0.5, 1e-5, 0.5), CHOICES,
)  # fmt: skip
FOREST = forest.OpenedForest(np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([0.25, 0.75]), CHOICES)
SEEN = explanation.Seen(
    EXPLAINED.class_names, EXPLAINED.probabilities, (("conv_2", EXPLAINED.activations[0][1]), EXPLAINED.activations[1])
)
ITEMS = RNG.integers(0, 256, (12, 28, 28, 1)).astype(np.uint8)
FOUND = {
    together.candidates: together.Candidates(ITEMS, IMAGES, np.arange(12) % 2, np.ones(12, int), np.zeros(12, int)),
    together.together: together.Together((1, 0), SVM, FOREST),
    explanation.explain: EXPLAINED,
    explanation.seen: SEEN,
    networks.filters: RNG.normal(size=(32, 3, 3)),
    maps.before_and_after: MAPPED,
    forest.opened: FOREST,
}


class Answers:
    """The process beside the server: notes what it is asked and answers from the table above."""

    def __init__(self):
        self.asked, self.error = [], None

    def ask(self, function, *arguments):
        self.asked.append((function, *arguments))
        if self.error:
            raise self.error
        if function is svm.opened:
            return replace(SVM, exact="rbf_svm" in arguments[1])
        return FOUND[function]

    ready = True

    def soon(self, question, wait_s=0.0):
        """Nothing of what the cuts reach: it is still computed."""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    found = Lab(store.folder, store, SimpleNamespace(stop=None), Serving(store.folder), Answers())
    monkeypatch.setattr(state, "lab", lambda: found)
    monkeypatch.setattr(state, "person", lambda: ME)
    return found


def page(name: str, **session) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    for key, value in session.items():
        app.session_state[key] = value
    app = app.switch_page(f"{name}.py").run()
    assert not app.exception and "Something went wrong" not in words(app)
    return app


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.error, app.warning, app.success, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def heads_run(store: Store, *names: str):
    base = {"seed": 0, "accuracy": 0.5, "low": 0.4, "high": 0.6, "n": 12, "confusion": [[3, 3], [3, 3]], "loss": None}
    cost = {"fit_s": 1.0, "ms_per_image": 0.1, "mb": 0.1, "n_features": 4}
    rows = [
        {**base, **cost, "head": name, "input": "features", "file": f"heads/{name}-features.skops"} for name in names
    ]
    line = {"input": "features", "n_seeds": 1, "mean": 0.5, "sd": None, "error": 0.1, "best": True, **cost}
    run = store.create(HeadSpec(heads=names, curves=False), owner=ME.id)
    store.claim(run.id)
    result = {
        "rows": rows,
        "table": [{**line, "head": name} for name in names],
        "extract_s": 1.0,
        "n_features": 4,
        "features_mb": 2.0,
        "n_trained": 10,
        "layer": "flatten",
        "class_names": ["5", "6"],
        "files": {row["file"]: {"sha256": "0" * 64, "bytes": 1} for row in rows},
    }
    store.finish(run.id, "done", result)
    return store.get(run.id)


def test_a_layers_filters_and_activations_are_shown_for_the_chosen_image(lab):
    app = page("layers", inside="conv_2")
    assert "6, 80 % sure" in words(app) and "only knows 0–4" in words(app)
    assert "conv\\_2: 32 filters of 3 × 3." in words(app) and "conv_2: 26 × 26 × 4" in words(app)
    first = lab.what_if.asked[0]
    assert first[:2] == (explanation.seen, "source:digits_0_4") and first[2].shape == (28, 28, 1)
    other = [app.pills(key="inside_image").set_value(3).run(), lab.what_if.asked[-2]][1]
    assert not np.array_equal(first[2], other[2])
    app.button(key="inside_close").click().run()
    assert "filters" not in words(app) and not app.session_state["inside"]


def test_what_was_drawn_last_is_what_a_layer_is_shown_for(lab):
    drawing = np.full((28, 28, 1), 9, np.uint8)
    app = page("layers")
    app.session_state["inside"], app.session_state["on_easel"] = "dense_1", drawing
    app.run()
    assert app.pills(key="inside_image").options[0] == "Your drawing"
    assert np.array_equal(lab.what_if.asked[0][2], drawing) and len(lab.what_if.asked) == 1  # no filters to ask for
    assert "dense_1: 10; each square is one unit" in words(app)
    app.session_state["on_easel"] = drawing[:8]  # of another form
    assert "Your drawing" not in app.run().pills(key="inside_image").options


def test_a_layer_that_the_network_does_not_have_is_not_looked_into(lab):
    assert "Inside" not in words(page("layers", inside="conv_9")) and lab.what_if.asked == []


def test_nothing_is_asked_before_a_page_is_opened_up(lab):
    run = heads_run(lab.store, "linear_svm", "random_forest")
    for name in ("layers", "draw"):
        page(name)
    page("heads", run_cmp=run.id)
    assert lab.what_if.asked == []


def test_a_process_that_does_not_answer_is_one_sentence(lab):
    lab.what_if.error = TrainingError("20 questions are waiting already. Try again in a few seconds.")
    assert "questions are waiting already" in words(page("layers", inside="conv_1"))


def test_a_drawing_is_explained_when_asked_and_not_with_every_stroke(lab, monkeypatch):
    monkeypatch.setattr(Serving, "follow", lambda self, image, names, *_: [dict.fromkeys(names, "late")])
    app = page("draw", way="sample", why=True)
    assert lab.what_if.asked == []
    app.button(key="why_now").click().run()
    assert "The pinker" in words(app) and len(lab.what_if.asked) == 1
    app.button(key="another_handful").click().run()
    assert "The drawing has changed since" in words(app) and len(lab.what_if.asked) == 1


def test_a_map_shows_both_sides_and_says_when_nothing_could_change(lab):
    run = lab.store.create(FineTuneSpec(), owner=ME.id)
    lab.store.claim(run.id)
    lab.store.finish(run.id, "done", {"class_names": ["5", "6"]})
    state_of = lab.store.get(run.id)

    def script(run):
        from pages.ui.closer.feature_map import feature_map

        feature_map(run)

    app = AppTest.from_function(script, args=(state_of,), default_timeout=60).run()
    assert not app.exception
    assert "Everything up to dense\\_1 was frozen" in words(app) or "Everything up to dense_1 was frozen" in words(app)
    assert words(app).count("For **50.0 %** of the images") == 2
    assert lab.what_if.asked == [(maps.before_and_after, run.id, "dense_1", "pca", str(lab.folder))]


def test_an_svm_is_shown_as_its_sum_beside_its_dual(lab):
    run = heads_run(lab.store, "linear_svm", "rbf_svm")
    app = page("heads", **{"run_cmp": run.id, f"open_svm_{run.id}": True})
    assert "decision_function says 1.250000; the two differ by 0.0e+00" in words(app)
    shown = "\n".join(element.value for element in app.latex)
    assert "1.000000 +0.250000" in shown and "1.250000" in shown
    dual = app.table[-1].value
    assert dual["value"].tolist()[:4] == ["1.000000", "1.000000", "0.500000", "0.500000"]
    app.selectbox(key=f"opened_svm_{run.id}").set_value("heads/rbf_svm-features.skops").run()
    assert "is solved again here, with the head's settings." in words(app)
    app.pills(key=f"image_{run.id}_heads/rbf_svm-features.skops").set_value(7).run()
    asked = lab.what_if.asked[-1]
    assert asked[:5] == (svm.opened, run.id, "heads/rbf_svm-features.skops", (0, 1), 7)


@pytest.mark.parametrize(
    ("exact", "n", "own"), [(True, 10, True), (True, 4, False), (False, 10, False), (False, 4, False)]
)
def test_only_a_machine_fitted_on_the_same_images_is_said_to_answer_as_the_heads_own(monkeypatch, exact, n, own):
    said = []
    monkeypatch.setattr(open_heads.st, "caption", said.append)
    open_heads.which_machine(replace(SVM, exact=exact, n=n, n_all=10))
    assert ("those of the head's own machine" in said[0]) == own
    assert ("is solved again here" in said[0]) == exact and ("is fitted to this pair" in said[0]) != exact
    assert ("it sees 4 of the pair's 10 images" in said[0]) == (n < 10)


def test_a_forest_is_shown_as_the_average_of_its_trees(lab):
    run = heads_run(lab.store, "random_forest")
    app = page("heads", **{"run_cmp": run.id, f"open_forest_{run.id}": True})
    table = app.table[-1].value
    assert table["average of the trees"].tolist() == table["predict_proba"].tolist() == ["0.250000", "0.750000"]
    assert table["trees that vote for it"].tolist() == ["1", "1"]
    assert "2 trees, one answer: 6" in words(app)


def test_one_image_is_shown_through_the_svm_and_the_forest_side_by_side(lab):
    run = heads_run(lab.store, "linear_svm", "random_forest")
    drawing = np.full((28, 28, 1), 9, np.uint8)
    app = page("heads", run_cmp=run.id, **{f"together_{run.id}": True})
    app.session_state["on_easel"] = drawing
    app.run()
    shown = words(app)
    assert "Linear SVM on features: 6" in shown and "Random forest on features: 6" in shown
    assert "6 is its answer, 5 its second choice" in shown
    assert "decision_function says 1.250000; the two differ by 0.0e+00" in shown
    table = app.table[-1].value
    assert table["average of the trees"].tolist() == table["predict_proba"].tolist()
    assert app.pills(key=f"together_image_{run.id}").options[-1] == "Your drawing"
    assert np.array_equal(lab.what_if.asked[-1][4], ITEMS[0])
    app.pills(key=f"together_image_{run.id}").set_value(-1).run()
    assert np.array_equal(lab.what_if.asked[-1][4], drawing)


def test_without_both_there_is_nothing_to_show_side_by_side(lab):
    run = heads_run(lab.store, "linear_svm", "knn")
    page("heads", run_cmp=run.id, **{f"together_{run.id}": True})
    assert lab.what_if.asked == []


def test_tried_settings_are_means_over_seeds_with_a_star_for_each_that_chose_them():
    def row(seed, best, *accuracies):
        tried = tuple(Tried({"C": c}, a, seconds=1.0) for c, a in zip((0.1, 1.0), accuracies, strict=True))
        names = {"head": "linear_svm", "input": "features"}
        return HeadRow(**names, accuracy=0.5, seed=seed, params={"C": best}, tried=tried)

    first, second = tuned.lines([row(0, 1.0, 0.5, 0.9), row(1, 0.1, 0.7, 0.7)])
    assert (first["setting"], first["chosen"], first["validation accuracy"]) == ("C = 0.1", "★", pytest.approx(60))
    assert (second["setting"], second["chosen"], second["validation accuracy"]) == ("C = 1", "★", pytest.approx(80))


def test_the_uses_of_the_test_images_are_said(lab):
    run = heads_run(lab.store, "linear_svm", "knn")
    assert "test images of MNIST digits 5-9 2 times so far" in words(page("heads", run_cmp=run.id))
    moves = {
        ("digits", "mnist_5_9", 0): {"linear": {"": 0.9, "conv_1": 0.9}},
        ("digits", "mnist", 0): {"dense": {"conv_1": 0.9}},
    }
    # Two of now on the same images, and one on all ten digits, five of which are these.
    assert "5-9 5 times so far" in words(page("heads", run_cmp=run.id, what_if_found=moves))


def test_heat_covers_the_hottest_pixel_only_and_tiles_keep_their_order():
    def pixels(address):
        import base64
        import io

        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))

    heat = np.zeros((28, 28))
    heat[3, 5] = 2.0
    shown = pixels(pictures.overlay(np.zeros((28, 28)), heat))
    assert shown.shape == (168, 168, 3)
    assert (shown.any(axis=2)).sum() == 36 and shown[18, 30].tolist() == [197, 53, 119]
    values = np.zeros((12, 12, 3))
    values[..., 1] = 4.0
    tiles = pixels(pictures.sheet(values))  # three tiles of 24 with gaps of 2
    assert tiles.shape == (24, 76, 2)
    assert tiles[:, 26:50, 0].min() == 255 and tiles[:, :24, 0].max() == 0
    assert tiles[:, 24:26, 1].max() == 0 and tiles[:, :24, 1].min() == 255


@pytest.mark.parametrize(
    ("cuts_after", "tail_after", "waited", "left"),
    [
        (9.0, 9.0, [0.75, 0.0], ["cuts", "tail"]),  # both are slow: the page waits once
        (9.0, 0.0, [0.75, 0.0], ["cuts"]),
        (None, 0.5, [0.75], []),
        (None, 9.0, [0.75], ["tail"]),
    ],
)
def test_a_click_on_layers_waits_no_longer_for_two_answers_than_for_one(
    monkeypatch, cuts_after, tail_after, waited, left
):
    now, seen, later = [0.0], [], []
    after = {"cuts": cuts_after, "tail": tail_after}

    def ask(question, wait_s=0.0):
        seen.append(round(wait_s, 2))
        now[0] = min(max(now[0], after[question]), now[0] + wait_s)
        return SimpleNamespace(waits=now[0] < after[question])

    monkeypatch.setattr(reached, "ask", ask)
    monkeypatch.setattr(reached, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(reached.state, "lab", lambda: SimpleNamespace(what_if=SimpleNamespace(ready=True)))
    monkeypatch.setattr(reached, "remember", lambda *_: None)
    monkeypatch.setattr(reached, "show_retrained", lambda *_: None)
    monkeypatch.setattr(reached, "look_again", lambda *questions: later.extend(questions))
    cuts = SimpleNamespace(question="cuts", waits=cuts_after is not None)
    reached.finish(cuts, "tail", nullcontext())  # type: ignore[arg-type]
    assert (seen, later) == (waited, left)
