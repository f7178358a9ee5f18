"""The draft lives in the address: it comes back as it was, on every page, and what is none is told in one sentence."""

import pytest
from hostile.tried import count
from hostile.words import WORDS
from pages.test_pages import ROOT, lab, opened, sound, words  # noqa: F401
from streamlit.testing.v1 import AppTest

from pages.ui.session import address, state
from tlcore.spec import ByHand

CHOSEN = {
    "source": "digits", "target": "mnist", "split": "article", "per_class": 20, "all_images": False, "seed": 7,
    "label_noise": 0.2, "imbalance": 10.0,
    "frozen": ("conv_1",), "recipe": "two_phase", "epochs": 3, "batch_size": 64, "optimizer": "sgd",
    "learning_rate": 0.0125, "film": True, "layer": "dense_1", "heads": ("knn", "linear_svm"), "ways": ("scratch",),
    "schedule": "cosine", "rate_factor": 0.5, "patience": 3, "thaw_every": 4, "thaws": ((0, "conv_2"), (7, "")),
    "inputs": ("pixels",), "n_seeds": 2, "tune": True,
    "by_hand": (ByHand("rbf_svm", "kernel", "poly"), ByHand("rbf_svm", "pca", None), ByHand("linear_svm", "C", 0.25)),
    "augment": True, "class_weight": True, "more_ways": ("knn",), "chart_x": "seconds", "chart_log": True,
    "chart_smooth": 0.6,
    "chart_hidden": ("scratch", "Frozen: conv_1, conv_2"), "way": "grid", "handful": 3, "door": "hand",
}  # fmt: skip
KNOWN = {**state.DEFAULTS, "sources": ["digits_0_4", "digits", "random"]}


def test_what_is_written_is_read_as_it_was_and_the_defaults_need_no_address():
    choices = {**state.DEFAULTS, **CHOSEN}
    written = address.written(choices, state.DEFAULTS)
    assert set(written) == address.names()
    assert address.read(written, KNOWN) == (CHOSEN, [])
    assert address.written(dict(state.DEFAULTS), state.DEFAULTS) == {}
    nothing = {**choices, "frozen": (), "heads": (), "all_images": True}
    found, wrong = address.read(address.written(nothing, state.DEFAULTS), KNOWN)
    assert (found["frozen"], found["heads"], found["all_images"], wrong) == ((), (), True, [])


@pytest.mark.parametrize("setting", address.SETTINGS, ids=lambda setting: setting.name)
def test_hostile_words_are_no_setting(setting):
    for word in WORDS:
        choices, wrong = address.read({setting.name: word}, KNOWN)
        count("draft address")
        if wrong:
            assert (choices, wrong) == ({}, [setting.name])
        else:
            again = address.written({**state.DEFAULTS, **choices}, state.DEFAULTS)
            assert address.read(again, KNOWN)[1] == []


def at(path: str, **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    return app if path == "home" else app.switch_page(f"{path}.py").run()


def parameters(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def test_an_address_opens_its_settings_and_they_stay_in_it_on_every_page(lab):  # noqa: F811
    app = sound(at("train", source="digits", frozen="conv_1", target="mnist", labels="20", seed="7", epochs="3"))
    assert "Frozen: **conv_1**" in words(app)
    app.button(key="start_ft").click().run()
    (run,) = lab.store.list()
    assert (run.spec.source, run.spec.data.target, run.spec.data.per_class, run.seed) == ("digits", "mnist", 20, 7)
    assert (run.spec.epochs, run.spec.phases[0].frozen) == (3, ("conv_1",))
    app.number_input(key="epochs").set_value(4).run()
    for name in ("layers", "runs", "heads"):
        app.switch_page(f"{name}.py").run()
        there = parameters(app)
        assert (there["epochs"], there["labels"], there["frozen"]) == ("4", "20", "conv_1")


def test_what_an_address_cannot_set_is_one_sentence_and_has_its_default(lab):  # noqa: F811
    app = sound(at("home", source="nobodys", labels="many", seed="3", utm_source="x"))
    told = [warning.value for warning in app.warning]
    assert told == ["This address has settings that cannot be used here: source, labels. Their defaults are used."]
    assert app.run().warning, "a page may run again by itself"
    app.switch_page("train.py").run()
    assert not app.warning
    assert (app.number_input(key="per_class").value, app.number_input(key="seed").value) == (5, 3)
    assert parameters(app) == {"seed": "3", "utm_source": "x"}


def test_what_is_set_by_hand_of_heads_is_in_the_address_and_comes_back(lab):  # noqa: F811
    app = sound(at("heads", set="linear_svm.C=2,rbf_svm.pca=none", tune="yes"))
    assert (app.number_input(key="knob_linear_svm_C").value, app.number_input(key="knob_rbf_svm_pca").value) == (
        2.0,
        None,
    )
    assert app.toggle(key="tune").value
    sound(app.number_input(key="knob_linear_svm_C").set_value(0.5).run())
    assert parameters(app) == {"set": "linear_svm.C=0.5,rbf_svm.pca=none", "tune": "yes"}
    sound(app.button(key="reset_rbf_svm").click().run())
    assert parameters(app)["set"] == "linear_svm.C=0.5"
    assert "cannot be used here: set." in words(at("home", set="linear_svm.C=0.5,linear_svm.C=1"))


def test_layers_that_a_source_does_not_have_give_way(lab):  # noqa: F811
    app = sound(at("home", source="random", frozen="no_such_layer"))
    assert "settings that cannot be used here: frozen." in words(app)
    app.switch_page("train.py").run()
    assert "Frozen: **conv_1, conv_2**" in words(app)
