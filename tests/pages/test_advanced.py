"""Full control of a fine-tuning on the Train page, and a stopped run that goes on."""

from dataclasses import replace

from pages.test_pages import TUNED, finished, lab, opened, sound, words  # noqa: F401

from pages.ui.session import state
from tlcore.spec import FineTuneSpec, Phase
from tlcore.store import checkpoint
from tlcore.training.finder import RateTest


def started(app, lab):  # noqa: F811
    sound(app).button(key="start_ft").click().run()
    return lab.store.list()[0].spec


def test_rates_and_early_stopping_are_part_of_what_starts(lab):  # noqa: F811
    app = opened("train")
    app.selectbox(key="schedule").set_value("cosine").run()
    app.number_input(key="rate_factor").set_value(0.5).run()
    app.number_input(key="patience").set_value(3).run()
    spec = started(app, lab)
    assert spec.patience == 3
    assert spec.phases == (Phase(30, ("conv_1", "conv_2"), 0.001, "cosine", 0.5),)


def test_the_defaults_start_what_the_specs_have(lab):  # noqa: F811
    assert started(opened("train"), lab) == FineTuneSpec()


def test_a_gradual_schedule_says_which_epochs_have_what_frozen_and_starts_it(lab):  # noqa: F811
    app = opened("train", recipe="gradual", epochs=12)
    assert r"Epochs 6 to 10\: frozen conv\_1, conv\_2" in words(app)
    assert [(phase.epochs, len(phase.frozen)) for phase in started(app, lab).phases] == [(5, 3), (5, 2), (2, 1)]


def test_a_schedule_of_ones_own_is_edited_step_by_step(lab):  # noqa: F811
    app = sound(opened("train", recipe="own", epochs=20))
    assert "1 of the steps would begin after the last epoch" in words(app)
    app.button(key="thaw_less").click().run()
    app.number_input(key="thaw_after_1").set_value(4).run()
    app.selectbox(key="thaw_cut_1").set_value("conv_1").run()
    app.button(key="thaw_more").click().run()
    spec = started(app, lab)
    assert [(phase.epochs, phase.frozen) for phase in spec.phases] == [
        (4, ("conv_1", "conv_2", "dense_1")),
        (5, ("conv_1",)),
        (11, ()),
    ]


def test_a_schedule_made_for_another_network_freezes_what_this_one_has(lab):  # noqa: F811
    app = sound(opened("train", recipe="own", thaws=((0, "conv_9"), (5, "conv_1"))))
    assert [phase.frozen for phase in started(app, lab).phases] == [(), ("conv_1",)]


def stopped(store):
    fields = {**TUNED, "files": {}, "epochs": 7.6, "n_epochs": 60, "stopped": True}
    return finished(store, fields, "stopped")


def test_a_stopped_run_goes_on_as_a_run_of_its_own_in_the_same_place(lab):  # noqa: F811
    run = stopped(lab.store)
    checkpoint.save(lab.store.run_folder(run.id, create=True), checkpoint.Checkpoint({}, [], []))
    app = sound(opened("train", run_ft=run.id))
    sound(app.button(key="go_on_ft").click().run())
    further = lab.store.list()[0]
    assert further.id != run.id and further.state == "queued" and further.spec == run.spec
    assert app.session_state["run_ft"] == further.id and lab.engine.submitted == [further.id]
    assert lab.store.points(further.id) == lab.store.points(run.id)


def test_one_that_left_nothing_has_no_such_button(lab):  # noqa: F811
    app = sound(opened("train", run_ft=stopped(lab.store).id))
    assert "go_on_ft" not in [button.key for button in app.button]


def test_what_early_stopping_did_is_said(lab):  # noqa: F811
    fields = {**TUNED, "files": {}, "epochs": 7.0, "n_epochs": 30, "best_epoch": 4, "waited": 3}
    app = sound(opened("train", run_ft=finished(lab.store, fields).id))
    assert "Stopped after epoch 7 of 30; epochs without improvement: 3." in words(app)


def test_augmentation_shows_what_it_does_says_what_it_costs_and_is_part_of_what_starts(lab):  # noqa: F811
    app = sound(opened("train"))
    assert "Augmentation changes the images" not in words(app)
    app.toggle(key="augment").set_value(True).run()
    assert "nothing can be computed once" in words(app)
    (pictures,) = [each.proto.body for each in app.get("html") if "original" in each.proto.body]
    assert pictures.count("<figure>") == 5
    spec = started(app, lab)
    assert spec.augment and spec == replace(FineTuneSpec(), augment=True)


def test_layers_counts_the_frozen_part_in_every_epoch_where_the_images_change(lab):  # noqa: F811
    assert "times less.**" in words(sound(opened("layers")))
    app = sound(opened("layers", augment=True))
    assert "times less.**" not in words(app) and "less compute" in words(app)


def test_the_finder_shows_its_curve_and_its_rate_is_used_by_one_click(lab, monkeypatch):  # noqa: F811
    test = RateTest((1e-5, 1e-3, 1e-1), (1.5, 1.0, 2.0), 0.003)
    monkeypatch.setattr(state, "rate_test", lambda spec: test)
    app = opened("train")
    assert "use_rate" not in [button.key for button in app.button]
    sound(app.button(key="find_rate").click().run())
    assert "The loss falls fastest at a rate of 0.003" in words(app)
    app.button(key="use_rate").click().run()
    assert [phase.learning_rate for phase in started(app, lab).phases] == [0.003]


def test_class_weights_are_part_of_what_starts_and_say_where_they_change_nothing(lab):  # noqa: F811
    app = sound(opened("train", more_ways=("knn",)))
    assert "scikit-learn has none" not in words(app)
    app.toggle(key="class_weight").set_value(True).run()
    assert "Each class has the same number of labels here, so the weights are all 1." in words(app)
    assert "scikit-learn has none for them: k-nearest neighbours." in words(app)
    assert started(app, lab).class_weight == "balanced"
    app = sound(opened("train", class_weight=True, all_images=True))
    assert "the weights are all 1" not in words(app)
    app.button(key="start_ways").click().run()
    assert lab.store.list()[0].spec.tuning.class_weight == "balanced"
    app = sound(opened("heads", class_weight=True, compared=("knn", "linear_svm")))
    app.button(key="start_cmp").click().run()
    assert lab.store.list()[0].spec.class_weight == "balanced"
