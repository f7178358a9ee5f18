"""The Runs page without a browser: what is listed, found, folded, named, compared and taken along."""

from dataclasses import replace

import pytest
from pages.runs_list import rows, table
from pages.test_pages import COMPARED, ME, TUNED, finished, of_run, opened, sound, words
from test_contest import trained

from pages import test_pages
from pages.ui.components import runs_table
from pages.ui.components.runs_table import Deed, check_deed
from pages.ui.runs import history_list, tables
from pages.ui.session import listing, state
from pages.ui.session.listing import Choice
from tlcore.evidence.history import SORTS, Filter
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec

lab = test_pages.lab
FEW = FineTuneSpec()


def seeds(store, n=3):
    return [
        finished(store, TUNED, spec=replace(FEW, seed=seed, data=replace(FEW.data, seed=seed))) for seed in range(n)
    ]


def test_a_row_says_in_text_what_a_run_is_reached_and_took(lab):
    run = finished(lab.store, TUNED)
    lab.store.annotate(run.id, name="<b>Mine</b>", note="*stars* & [links](x)")
    (row,) = rows(sound(opened("runs")))
    assert (row["title"], row["note"], row["state"], row["mine"]) == (
        "<b>Mine</b>",
        "*stars* & [links](x)",
        "done",
        True,
    )
    assert (row["accuracy"], row["interval"], row["labels"], row["seed"]) == ("75.0 %", "(30.1 – 95.4 %)", "5", "0")
    assert row["took"].endswith(" s") and row["single"] and not row["fold"]


def test_seeds_of_one_setting_are_one_row_that_unfolds(lab):
    runs = seeds(lab.store)
    (row,) = rows(sound(opened("runs")))
    assert (row["fold"], row["seed"], row["single"], row["mine"]) == ("3 seeds", "0 to 2", False, True)
    assert row["accuracy"] == "mean 75.0 %" and row["interval"].startswith("(3")
    unfolded = rows(sound(opened("runs", runs_list=Choice(unfolded=frozenset({runs[-1].id})))))
    assert [(each["id"], each["part"]) for each in unfolded] == [
        (runs[2].id, False),
        *((run.id, True) for run in runs),
    ]
    assert [each["title"] for each in unfolded[1:]] == ["Seed 0", "Seed 1", "Seed 2"]


def test_a_comparison_is_one_row_with_its_runs_under_it(lab):
    whole = lab.store.create(ComparisonSpec(), owner=ME.id)
    part = lab.store.begin(FEW, owner=ME.id, parent=whole.id)
    lab.store.finish(part.run_id, "done", TUNED)
    (row,) = rows(sound(opened("runs")))
    assert (row["id"], row["fold"], row["single"]) == (whole.id, "1 run", True)
    unfolded = rows(sound(opened("runs", runs_list=Choice(unfolded=frozenset({whole.id})))))
    assert [each["id"] for each in unfolded] == [whole.id, part.run_id]


def test_what_is_looked_for_stands_in_the_address_and_in_the_session(lab):
    few = finished(lab.store, TUNED)
    heads = finished(lab.store, COMPARED, spec=HeadSpec(heads=("knn",), data=DataSpec(per_class=None)))
    app = sound(opened("runs", runs_list=Choice(Filter(method="knn"))))
    assert [row["id"] for row in rows(app)] == [heads.id]
    assert listing.read(app.query_params["list"]) == Choice(Filter(method="knn"))
    shown = table(app)
    assert shown and shown["counted"] == "1 row matches (2 runs in all)"
    assert {facet["field"]: facet["value"] for facet in shown["facets"]} == {"method": "knn", "labels": ""}
    app = sound(app.switch_page("train.py").run()).switch_page("runs.py").run()
    assert [row["id"] for row in rows(app)] == [heads.id]
    app = sound(opened("runs", runs_list=Choice(Filter(text="digits 0-4 WITH"))))
    assert rows(app) == []
    app = sound(opened("runs", runs_list=Choice(Filter(text="fine-tuning"))))  # what the method is called
    assert [row["id"] for row in rows(app)] == [few.id]


@pytest.mark.parametrize(
    "choice",
    [Choice(), Choice(Filter(text="a b&c=d", labels="all")), Choice(Filter(state="done"), "accuracy", False, 7)],
)
def test_the_address_gives_the_choice_back(choice):
    assert listing.read(listing.written(choice)) == choice


@pytest.mark.parametrize(
    "text", ["by=__class__", "page=0", "page=99999999999", "page=½", "state=" + "x" * 9999, "%00", "=&=&;"]
)
def test_an_address_that_nobody_was_given_is_read_without_complaint(lab, text):
    choice = listing.read(text)
    assert choice.by in SORTS and 0 < choice.page < 10**6
    finished(lab.store, TUNED)
    sound(opened("runs", runs_list=choice))


def test_pages_hold_25_lines(lab):
    for n in range(27):
        lab.store.create(replace(FEW, batch_size=1 + n), owner=ME.id)
    app = sound(opened("runs"))
    shown = table(app)
    assert shown and (len(shown["rows"]), shown["page"], shown["n_pages"]) == (25, 1, 2)
    assert len(rows(sound(opened("runs", runs_list=Choice(page=2))))) == 2


# ------------------------------------------------------------------ what a browser sends

IDS = {"a", "b", "c"}


@pytest.mark.parametrize(
    "value",
    [
        *(None, 0, "open", [], {}, {"do": "rm"}, {"do": ["open"]}, {"do": "open"}, {"do": "open", "id": "other"}),
        *({"do": "open", "id": ["a"]}, {"do": "sort", "by": "luck"}, {"do": "sort", "by": {}}),
        *({"do": "page", "number": 0}, {"do": "page", "number": True}, {"do": "page", "number": "2"}),
        *({"do": "filter"}, {"do": "compare", "ids": ["a"]}, {"do": "compare", "ids": "ab"}, {"do": "annotate"}),
        *({"do": "compare", "ids": ["a", "other", "a"]}, {"do": "page", "number": float("nan")}),
    ],
)
def test_what_no_table_sends_is_no_deed(value):
    assert check_deed(value, IDS, SORTS) is None


def test_names_and_notes_are_cut_to_their_limits_and_a_name_is_one_line():
    deed = check_deed({"do": "annotate", "id": "a", "name": " a\n b" + "x" * 99, "note": "y" * 9999}, IDS, SORTS)
    assert deed and deed.name.startswith("a bx") and len(deed.name) <= runs_table.LONGEST_NAME
    assert len(deed.note) == runs_table.LONGEST_NOTE
    deed = check_deed({"do": "annotate", "id": "a", "name": 5, "note": None}, IDS, SORTS)
    assert deed and (deed.name, deed.note) == ("", "")


def test_at_most_six_are_compared_each_once():
    ids = [str(n) for n in range(9)]
    deed = check_deed({"do": "compare", "ids": ["1", *ids, 5]}, set(ids), SORTS)
    assert deed and deed.ids == ("1", "0", "2", "3", "4", "5")


def done(monkeypatch, store, **deed):
    """Do what a table sent, and return what changed of the choice."""
    changes = {}
    monkeypatch.setattr(state, "get", lambda key, default=None: {"deed": deed})
    monkeypatch.setattr(state, "watch", lambda slot, run_id: changes.update({slot: run_id}))
    monkeypatch.setattr(listing, "chosen", lambda: Choice(by="accuracy"))
    monkeypatch.setattr(listing, "choose", lambda **given: changes.update(given))
    monkeypatch.setattr(listing, "compare", lambda ids: changes.update(compare=ids))
    history_list.act(store.listing())
    return changes


def test_each_deed_does_what_it_says(lab, monkeypatch):
    first, second = lab.store.create(FEW, owner=ME.id), lab.store.create(FEW, owner=ME.id)
    for deed, changes in (
        ({"do": "open", "id": first.id}, {"run": first.id}),
        ({"do": "filter", "filter": {"text": "x", "junk": 1}}, {"filter": Filter(text="x")}),
        ({"do": "sort", "by": "accuracy"}, {"by": "accuracy", "descending": False}),  # the other way round
        ({"do": "sort", "by": "labels"}, {"by": "labels", "descending": False}),
        ({"do": "sort", "by": "created"}, {"by": "created", "descending": True}),
        ({"do": "sort", "by": "labels", "descending": True}, {"by": "labels", "descending": True}),
        ({"do": "page", "number": 2}, {"page": 2}),
        ({"do": "unfold", "id": first.id}, {"unfolded": frozenset({first.id})}),
        ({"do": "compare", "ids": [first.id, second.id]}, {"compare": (first.id, second.id)}),
        ({"do": "open", "id": "0" * 16}, {}),
    ):
        assert done(monkeypatch, lab.store, **deed) == changes, deed


def test_a_name_and_a_note_are_kept_and_only_those_of_ones_own_runs(lab, monkeypatch):
    own, other = lab.store.create(FEW, owner=ME.id), lab.store.create(FEW, owner="f" * 32)
    for run in (own, other):
        done(monkeypatch, lab.store, do="annotate", id=run.id, name="new", note="a note")
    assert (lab.store.get(own.id).name, lab.store.get(own.id).note) == ("new", "a note")
    assert (lab.store.get(other.id).name, lab.store.get(other.id).note) == ("", "")


def test_a_deed_has_a_default_for_every_field_but_what_is_done():
    assert Deed("open").ids == () and runs_table.DEEDS[0] == "open"


# ------------------------------------------------------------------ a run opened


def test_an_opened_run_stands_alone_and_leads_back_to_the_list(lab):
    run = finished(lab.store, TUNED)
    app = sound(opened("runs", run_run=run.id))
    assert table(app) is None
    app.button(key="close").click().run()
    assert [row["id"] for row in rows(sound(app))] == [run.id]


def test_one_menu_has_every_form_that_a_run_can_be_taken_along_in(lab):
    run = finished(lab.store, TUNED)
    app = sound(opened("runs", run_run=run.id))
    labels = [button.proto.label for button in app.get("download_button")]  # type: ignore[attr-defined]
    assert {"Metrics (CSV)", "Settings and result (JSON)"} <= set(labels)
    assert {"Report (HTML, to read and print)", "Everything in one archive (ZIP)"} <= set(labels)


def test_settings_are_read_in_words_and_json_is_a_fold_away(lab):
    run = finished(lab.store, TUNED, spec=replace(FEW, optimizer="sgd"))
    app = sound(opened("runs", run_run=run.id, **of_run(run)))
    (shown,) = [element.proto.body for element in app.get("html") if "plain-table" in element.proto.body]  # type: ignore[attr-defined]
    for name, value in (("Optimizer", "sgd"), ("Frozen layers", "conv_1, conv_2"), ("Task", "MNIST digits 5-9")):
        assert f'<th scope="row">{name}</th><td>{value}</td>' in shown
    assert f"<td>{run.id}</td>" in shown and str(int(run.created)) not in shown  # no Unix time
    assert any('"optimizer": "sgd"' in code.value for code in app.code)


def test_a_run_is_named_where_it_is_open_and_a_note_is_as_long_as_it_may_be(lab):
    run = finished(lab.store, TUNED)
    app = sound(opened("runs", run_run=run.id))
    app.text_input(key=f"name_{run.id}").set_value("My run").run()
    app.text_area(key=f"note_{run.id}").set_value("Look here").run()
    assert (lab.store.get(run.id).name, lab.store.get(run.id).note) == ("My run", "Look here")
    assert "My run" in words(app)


def test_hostile_text_in_a_table_is_text():
    text = tables.markup(["<i>", "b"], [["<script>", '"onx=1']], '"><img>')
    assert "<script>" not in text and "<img>" not in text and "&lt;script&gt;" in text


def test_a_failed_run_is_listed_with_its_state(lab):
    finished(lab.store, {}, "failed", error="The loss is not a number.")
    (row,) = rows(sound(opened("runs")))
    assert (row["state"], row["accuracy"], row["interval"]) == ("failed", "–", "")


# ------------------------------------------------------------------ side by side


def plain_tables(app) -> list[str]:
    return [element.proto.body for element in app.get("html") if "plain-table" in element.proto.body]


def test_ticked_runs_are_held_side_by_side_with_their_test_and_what_differs(lab):
    better = trained(lab.store, replace(FEW, data=DataSpec(per_class=100)), 390)
    worse = trained(lab.store, replace(FEW, data=DataSpec(per_class=100), batch_size=32), 300)
    app = sound(opened("runs", runs_compared=(better.id, worse.id)))
    assert app.subheader[0].value.startswith("Frozen\\: conv\\_1, conv\\_2, Batch size 16 is better than")
    assert "McNemar's exact test on 400 test images" in words(app)
    first, same = plain_tables(app)
    assert "<td>97.5 %</td><td>75.0 %</td>" in first
    assert "<td>the best</td><td>22.5 points below, p = " in first
    assert '<th scope="row">Batch size</th><td>16</td><td>32</td>' in first and "Optimizer" not in first
    assert '<th scope="row">Optimizer</th><td>adam</td>' in same
    assert app.query_params["compare"] == f"{better.id},{worse.id}"
    app = app.button(key=f"open_{worse.id}").click().run()
    assert "Back to the comparison" in {button.label for button in app.button}
    app = sound(app.button(key="close").click().run())
    assert app.subheader[0].value.startswith("Frozen")
    app = sound(app.button(key="close").click().run())
    assert len(rows(app)) == 2 and "compare" not in app.query_params


def test_runs_of_different_tasks_are_shown_side_by_side_without_a_verdict(lab):
    one, other = (
        finished(lab.store, TUNED),
        finished(lab.store, TUNED, spec=replace(FEW, data=DataSpec("fashion_mnist"))),
    )
    app = sound(opened("runs", runs_compared=(one.id, other.id)))
    assert "learned different tasks" in words(app) and not app.subheader
    assert '<th scope="row">Task</th>' in plain_tables(app)[0]


def test_a_comparison_is_held_side_by_side_by_the_runs_of_its_ways(lab):
    whole = lab.store.create(ComparisonSpec(), owner=ME.id)
    parts = [finished(lab.store, TUNED), finished(lab.store, TUNED, spec=replace(FEW, batch_size=32))]
    assert lab.store.claim(whole.id)
    named = [
        {"name": name, "run": run.id, "ended": True} for name, run in zip(("fine_tune", "scratch"), parts, strict=True)
    ]
    lab.store.finish(whole.id, "done", {"ways": named, "n_planned": 2})
    app = sound(opened("runs", runs_compared=(whole.id, parts[0].id)))
    assert plain_tables(app)[0].count('scope="col"') == 3  # two runs, and the column of names


@pytest.mark.parametrize("ids", [("0" * 16, "x"), ("..", "%00"), ("0" * 16,)])
def test_what_is_no_longer_there_is_said_and_the_way_back_leads_on(lab, ids):
    finished(lab.store, TUNED)
    app = sound(opened("runs", runs_compared=ids))
    assert "nothing to compare" in words(app)
    assert len(rows(app.button(key="close").click().run())) == 1
