"""Use from a program, on Try and Runs: tokens are made, shown once and revoked; programs name the model."""

import pytest
from pages.test_pages import lab, opened, words  # noqa: F401
from tiny_results import fine_tuned

from pages.ui.session import state
from tlcore.people import Person
from tlcore.people.tokens import PREFIX, Tokens
from tlcore.spec import NETWORK, DataSpec, FineTuneSpec

ME, BOB = Person("0" * 32), Person("b" * 32)


def kept() -> Tokens:
    return Tokens(state.lab().store)


def codes(app) -> str:
    return "\n".join(block.value for block in app.code)


def run_of(owner: str) -> str:
    store = state.lab().store
    run = store.create(FineTuneSpec(data=DataSpec("mnist_5_9", per_class=5)), owner=owner)
    store.claim(run.id)
    files = {NETWORK: {"sha256": "0", "bytes": 1}}
    store.finish(run.id, "done", fine_tuned({"accuracy": 0.9, "n": 10}, files=files))
    return run.id


def test_nothing_of_it_is_made_before_it_is_opened(lab):  # noqa: F811
    app = opened("draw")
    assert "Use from a program" in [fold.label for fold in app.expander]
    assert not app.code and "make_token" not in {button.key for button in app.button}


def test_a_token_is_made_shown_until_it_is_hidden_and_revoked(lab):  # noqa: F811
    app = opened("draw", program=True)
    app.text_input(key="token_name").input("my *robot*")
    app.button(key="make_token").click().run()
    (row,) = kept().list(ME)
    (token,) = [block.value for block in app.code if block.value.startswith(PREFIX)]
    assert kept().whose(token) == ME and app.text_input(key="token_name").value == ""
    assert any("my \\*robot\\* · made 20" in each.value and "never used" in each.value for each in app.markdown)
    assert PREFIX in codes(app.run()), "it is still there when something else is clicked"
    app.button(key="hide_token").click().run()
    assert PREFIX not in codes(app)
    app.button(key=f"revoke_{row.id}").click().run()
    assert kept().whose(token) is None and not [
        button for button in app.button if (button.key or "").startswith("revoke_")
    ]


def test_a_token_that_is_revoked_is_shown_no_longer(lab):  # noqa: F811
    app = opened("draw", program=True)
    app.button(key="make_token").click().run()
    assert PREFIX in codes(app)
    app.button(key=f"revoke_{kept().list(ME)[0].id}").click().run()
    assert PREFIX not in codes(app) and kept().list(ME) == ()


def test_what_was_revoked_elsewhere_meanwhile_is_told(lab):  # noqa: F811
    app = opened("draw", program=True)
    app.button(key="make_token").click().run()
    (row,) = kept().list(ME)
    kept().revoke(ME, row.id)
    app.button(key=f"revoke_{row.id}").click().run()
    assert "it may have been revoked already" in words(app)


@pytest.mark.parametrize("language", ["Python", "JavaScript", "curl"])
def test_the_program_names_the_model_that_answers_and_where_the_token_goes(lab, language):  # noqa: F811
    app = opened("draw", program=True)
    app.selectbox(key="answer_model").set_value("source:digits_0_4").run()
    app.segmented_control(key="program_language").set_value(language).run()
    (code,) = [block.value for block in app.code if "/api/predict" in block.value]
    assert "model=source:digits_0_4" in code and "YOUR_TOKEN" in code
    assert "openapi.json" in words(app)


def test_a_run_of_ones_own_has_its_program_and_somebody_elses_the_reason_why_not(lab):  # noqa: F811
    mine, his = run_of(ME.id), run_of(BOB.id)
    app = opened("runs", run_run=mine, program=True)
    assert f"model=run:{mine}" in codes(app)
    app = opened("runs", run_run=his, program=True)
    assert "/api/predict" not in codes(app) and "belongs to somebody else" in words(app)
