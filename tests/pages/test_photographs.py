"""The pages with photographs: source and target lead to each other, and only what fits is offered."""

import few_hands
import pytest
from pages.test_draft_address import at as addressed
from pages.test_draft_address import parameters
from pages.test_pages import lab, opened, sound, words  # noqa: F401

from pages.ui.inputs import live
from pages.ui.session import address, state
from pages.ui.words.numbers import percent
from tlcore import prediction, sources
from tlcore.evidence import camera_hands
from tlcore.features import freezing
from tlcore.prediction.what_if import Cuts, CutScores
from tlcore.spec import ComparisonSpec, Evaluation, InputForm

CARD = sources.info("mobilenet_v2")
PRESETS = freezing.presets(CARD.layers)


def test_the_source_of_photographs_brings_its_target_and_a_recipe_that_works(lab):  # noqa: F811
    app = sound(opened("layers"))
    app = sound(app.button(key="use_mobilenet_v2").click().run())
    chosen = {key: app.session_state[key] for key in ("source", "target", "layer", "per_class", "recipe")}
    assert chosen == {
        "source": "mobilenet_v2", "target": "hands", "layer": "average", "per_class": 20, "recipe": "two_phase",
    }  # fmt: skip
    assert app.session_state["frozen"] == PRESETS["last_stage"]
    assert "Reads: Photographs, 96 × 96 × 3. The target is now Hands 0-9 (photographs)." in words(app)
    labels = {button.key: button.label for button in app.button}
    assert labels["preset_last_stage"] == "Train from block_13 on" and "preset_convolutions" not in labels
    assert labels["preset_last_two_stages"] == "Train from block_6 on"
    assert "To train the network's own layers on photographs, start a run" in words(app)
    back = sound(app.button(key="use_digits_0_4").click().run())
    kept = {key: back.session_state[key] for key in ("target", "per_class", "recipe", "learning_rate", "layer")}
    assert kept == {key: state.DEFAULTS[key] for key in kept}


def test_the_size_at_which_photographs_are_read_is_a_choice_of_the_same_card(lab):  # noqa: F811
    app = sound(opened("layers", source="mobilenet_v2", target="hands"))
    keys = [button.key for button in app.button if (button.key or "").startswith("use_")]
    assert "use_mobilenet_v2" in keys and "use_mobilenet_v2_128" not in keys
    app = sound(app.segmented_control(key="size_mobilenet_v2").set_value(128).run())
    assert (app.session_state["source"], app.session_state["target"]) == ("mobilenet_v2_128", "hands")
    assert app.session_state["frozen"] == PRESETS["last_stage"]
    chosen = {button.key: button.icon for button in app.button if (button.key or "").startswith("use_mobile")}
    assert chosen["use_mobilenet_v2"]


def test_networks_that_are_not_here_are_named_with_what_brings_them(lab, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    app = sound(opened("layers"))
    assert "More networks for photographs (4)" in [fold.label for fold in app.expander]
    assert "sources fetch convnext_tiny" in words(app)


def test_an_address_that_names_photographs_alone_brings_what_suits_them_and_keeps_what_it_says(lab):  # noqa: F811
    def kept(app):
        return {key: app.session_state[key] for key in ("per_class", "recipe", "learning_rate")}

    suited = state.SUITED["photo"]
    assert kept(sound(addressed("layers", source="mobilenet_v2"))) == suited
    assert kept(sound(addressed("layers", target="hands"))) == suited
    assert kept(sound(addressed("layers", source="mobilenet_v2", labels="5"))) == {**suited, "per_class": 5}
    app = sound(addressed("layers", target="hands", labels="5"))
    assert kept(app)["per_class"] == 5 and parameters(app)["labels"] == "5"


def test_a_setting_of_ones_own_stays_when_the_kind_of_input_changes(lab):  # noqa: F811
    app = sound(opened("layers", per_class=7))
    assert sound(app.button(key="use_mobilenet_v2").click().run()).session_state["per_class"] == 7


def test_the_target_brings_a_source_that_reads_it_and_the_draft_is_the_recipe(lab):  # noqa: F811
    app = sound(opened("train"))
    app = sound(app.selectbox(key="target").set_value("hands").run())
    assert app.session_state[
        "source"
    ] == "mobilenet_v2" and "Frozen: **Conv1 – block_12, BatchNormalization**" in words(app)
    app.button(key="start_ways").click().run()
    (run,) = lab.store.list()
    assert isinstance(run.spec, ComparisonSpec) and run.spec.layer == "average"
    tuning = run.spec.tuning
    assert [phase.frozen for phase in tuning.phases] == [PRESETS["all_but_head"], PRESETS["last_stage"]]
    assert [phase.learning_rate for phase in tuning.phases] == [pytest.approx(2e-3), pytest.approx(2e-4)]
    assert (tuning.data.target, tuning.data.per_class, tuning.batch_size) == ("hands", 20, 16)


@pytest.mark.parametrize("page", ["layers", "train", "heads", "draw"])
def test_an_address_with_photographs_opens_every_page(lab, page):  # noqa: F811
    app = sound(opened(page, source="mobilenet_v2", target="hands", frozen=PRESETS["last_stage"], layer="average"))
    assert not app.error and not app.warning, words(app)


def test_what_every_cut_reaches_is_said_to_be_averaged_over_places(lab, monkeypatch):  # noqa: F811
    def scores(question, wait_s=0.0):
        tests = [(name, Evaluation(0.5, 0.4, 0.6, 576, ())) for name in ("", *CARD.cut_names)]
        return CutScores(question, tuple(tests), 200, 1.0) if isinstance(question, Cuts) else None

    monkeypatch.setattr(lab.what_if, "soon", scores)
    app = sound(opened("layers", source="mobilenet_v2", target="hands", frozen=PRESETS["last_stage"], layer="average"))
    assert "averaged over all positions in the photograph" in words(app)


def test_a_photograph_is_picked_or_uploaded_for_models_that_read_them(lab, monkeypatch):  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        few_hands.use(patch)
        form = InputForm("photo", (96, 96, 3))
        info = prediction.PredictorInfo(
            "run:0123456789abcdef", prediction.available()[0].title, tuple("0123456789"), "run", form, made=1.0
        )
        monkeypatch.setattr(state, "models", lambda limit=0: (*prediction.available(), info))
        monkeypatch.setattr(lab.serving, "follow", lambda item, names, *_: [{info.name: [0.05] * 9 + [0.55]}])
        app = sound(opened("draw", source="mobilenet_v2", target="hands"))
        assert app.selectbox(key="form").options == ["Drawings · 28 × 28", "Photographs · 96 × 96 × 3"]
        assert app.selectbox(key="form").value == form  # what the chosen source reads
        assert app.segmented_control[0].options == ["Sample", "Upload", "Camera"] and "Draw a digit" not in words(app)
        assert "Its true class is" in words(app)
        assert 'data-answer="9"' in "".join(element.proto.body for element in app.get("html"))
        app.segmented_control[0].set_value("upload").run()
        assert app.file_uploader[0].label.startswith("A photograph (JPEG")
        asked = []
        monkeypatch.setattr(live, "camera", lambda key, **options: asked.append(options))
        app.segmented_control[0].set_value("camera").run()
        assert asked[-1]["url"] == "/api/answers?model=run%3A0123456789abcdef"
        assert asked[-1]["class_names"] == tuple("0123456789")
        shown = "".join(element.proto.body for element in app.get("html"))
        assert 'class="signs"' in shown and shown.count("<figure>") == 10 and "answers large" not in shown
        plain, found = camera_hands.load().best("plain"), words(app)
        assert f"off the centre: {percent(plain.share, 0)} are read correctly on a plain ground" in found
        assert "**Plain background, please.**" in found and camera_hands.load().asks_for_plain


@pytest.mark.parametrize(
    ("frozen", "text"),
    [
        (PRESETS["last_stage"], "last_stage"),
        (PRESETS["all_but_head"], "convolutions"),  # the same here
        (
            (*PRESETS["last_stage"][:8], "block_13_expand"),
            "Conv1,bn_Conv1,expanded_conv,block_1_expand,block_1_expand_BN,",
        ),
        ((), "-"),
    ],
)
def test_many_frozen_layers_are_few_words_in_an_address(frozen, text):
    choices = {**state.DEFAULTS, "source": "mobilenet_v2", "frozen": frozen}
    written = address.written(choices, state.DEFAULTS)
    assert written["frozen"].startswith(text) and len(written["frozen"]) < 200
    known = {**state.DEFAULTS, "sources": ["mobilenet_v2"]}
    read, wrong = address.read(written, known)
    assert (read["frozen"], wrong) == (tuple(frozen), [])


def test_what_is_recorded_on_another_task_says_so(lab):  # noqa: F811
    said = "Recorded on MNIST digits 5-9, not on what is chosen now."
    digits = sound(opened("race"))
    assert said not in words(digits) and said not in words(sound(opened("train")))
    assert said in words(sound(opened("race", source="mobilenet_v2", target="hands")))
    assert said in words(sound(opened("train", source="digits", target="mnist")))
    assert said not in words(sound(opened("heads")))
    assert said in words(sound(opened("heads", source="mobilenet_v2", target="hands", layer="average")))


def test_before_a_model_reads_photographs_try_says_how_to_get_one(lab):  # noqa: F811
    app = sound(opened("draw", source="mobilenet_v2", target="hands"))
    assert "Photographs names nothing before it has learned your classes" in words(app)
    assert "train" in [link.proto.page for link in app.get("page_link")]
    assert "names nothing before" not in words(sound(opened("draw")))


def test_tries_samples_are_of_the_chosen_target_where_they_fit(lab, monkeypatch):  # noqa: F811
    monkeypatch.setattr(lab.serving, "follow", lambda item, names, *_: [{}])
    app = sound(opened("draw", way="sample", target="mnist"))
    assert app.selectbox(key="sample_target").value == "mnist"
    app = sound(opened("draw", way="sample", target="mnist_5_9"))
    assert app.selectbox(key="sample_target").value == "mnist_5_9"
