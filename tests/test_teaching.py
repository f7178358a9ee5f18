"""Classes of one's own: examples in files, the head that learns them, and how honestly its accuracy is told."""

import json

import numpy as np
import pytest
from PIL import Image

from tlcore import cli, datasets, teaching
from tlcore.errors import DataError, SpecError
from tlcore.prediction import ModelName, collected
from tlcore.spec import InputForm
from tlcore.teaching import Examples, Kind, scores
from tlcore.teaching.examples import MOST_LETTERS

D = 40  # features


class Small(Kind):
    """A kind whose items need no network."""

    form = InputForm("image", (4, 4, 1))


SMALL = Small("image", "digits", "flatten")


def clouds(per_class, n_classes=3, apart=0.9, seed=0):
    """Return features of classes that lie close together, and their labels, in turn."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(n_classes), per_class)
    middles = rng.normal(size=(n_classes, D))
    return (apart * middles[y] + rng.normal(size=(len(y), D)) * 1.5 + 1).astype(np.float32), y


def item(value):
    return np.full((4, 4, 1), value, np.uint8)


@pytest.fixture
def examples(tmp_path):
    return Examples(tmp_path / "ann" / "image", SMALL)


# ------------------------------------------------------------------ the head


def sklearns(x, y):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=teaching.head.C, max_iter=2000, tol=1e-8).fit(teaching.head.units(x), y)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_head_is_scikit_learns_on_all_features_though_it_is_fitted_on_what_the_examples_span(n_classes):
    x, y = clouds(6, n_classes)
    new = clouds(20, n_classes, seed=1)[0]
    head = teaching.fit(x, y, n_classes)
    assert head.weights.shape == (D, n_classes)
    np.testing.assert_allclose(
        head.predict_proba(new), sklearns(x, y).predict_proba(teaching.head.units(new)), atol=0.02
    )


def test_a_class_without_examples_is_never_answered():
    x, y = clouds(4)
    head = teaching.fit(x, np.where(y == 1, 2, y), 3)
    shares = head.predict_proba(x)
    assert shares[:, 1].max() == 0 and np.allclose(shares.sum(axis=1), 1)


def test_what_is_left_out_is_answered_as_scikit_learns_own_leave_one_out_does():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import LeaveOneOut, cross_val_predict

    x, y = clouds(7, apart=0.35)
    plain = LogisticRegression(C=teaching.head.C, max_iter=2000, tol=1e-8)
    theirs = cross_val_predict(plain, teaching.head.units(x), y, cv=LeaveOneOut())
    assert 0 < (theirs != y).sum() < len(y)  # else any answer would do
    np.testing.assert_array_equal(teaching.left_out(x, y), theirs)


def test_the_only_example_of_a_class_counts_as_wrong_for_nobody_else_knows_it():
    x, y = clouds(3)
    x, y = np.concatenate([x, x[:1] + 5]), np.append(y, 3)
    assert teaching.left_out(x, y)[-1] == scores.NOBODY
    assert teaching.score(x, y, 4).by_class[3] == (0, 1)


def test_a_score_has_its_interval_and_what_a_guess_would_reach():
    x, y = clouds(4, apart=6)
    score = teaching.score(x, y, 3)
    assert (score.n_right, score.n, score.n_examples, score.guess) == (12, 12, 12, 4 / 12)
    assert score.by_class == ((4, 4),) * 3 and score.interval[0] == pytest.approx(0.7575, abs=1e-3)
    assert teaching.score(x[y == 0], y[y == 0], 3) is None


def test_the_newest_fifth_of_each_class_is_a_test_set_that_no_head_learned_from():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], (5, 10, 5))
    x = rng.normal(0, 0.1, (20, 6)).astype(np.float32) + np.eye(6, dtype=np.float32)[y]
    rows = teaching.held_out(y)
    assert np.flatnonzero(rows).tolist() == [4, 13, 14, 19]
    x[14] = 3 * np.eye(6)[0]  # of class 1, and looks like class 0
    found = teaching.score(x, y, 3)
    assert (found.test_right, found.n_test) == (3, 4) and found.test_share == 0.75
    assert found.test_interval[0] < 0.75 < found.test_interval[1]
    assert teaching.of_numbers(teaching.as_numbers(found).tolist()) == found
    few = teaching.score(x[1:], y[1:], 3)  # four of the first class
    assert few.n_test == 0 and not teaching.held_out(y[1:]).any()


def test_of_very_many_examples_some_are_drawn_always_the_same(monkeypatch):
    monkeypatch.setattr(scores, "MOST_LEFT_OUT", 10)
    x, y = clouds(20)
    assert teaching.score(x, y, 3) == teaching.score(x, y, 3)
    assert teaching.score(x, y, 3).n == 10 and teaching.score(x, y, 3).n_examples == 60


# ------------------------------------------------------------------ the examples


def test_examples_are_kept_counted_deleted_and_brought_back(examples):
    assert examples.names() == ("Class 1", "Class 2") and not examples.folder.exists()
    one = examples.add(1, item(7), np.arange(D))
    examples.add(2, item(8), np.arange(D))
    assert [len(found.examples) for found in examples.classes()] == [1, 1]
    np.testing.assert_array_equal(examples.item(one.name), item(7))
    x, y = examples.learned()
    assert (x.shape, x.dtype, y.tolist()) == ((2, D), np.float32, [0, 1])
    examples.remove(one.name)
    assert [len(found.examples) for found in examples.classes()] == [0, 1]
    examples.bring_back(one.name)
    assert [len(found.examples) for found in examples.classes()] == [1, 1]


def test_the_state_changes_with_what_a_head_learns_from_and_with_nothing_else(examples):
    states = [examples.state()]
    one = examples.add(1, item(1), np.ones(D))
    states.append(examples.state())
    examples.rename(1, "Mug")
    states.append(examples.state())
    assert len(set(states)) == 3 and examples.state() == states[-1]
    examples.remove(one.name)
    examples.bring_back(one.name)
    assert examples.state() == states[-1]


def test_a_class_that_was_removed_comes_back_with_its_examples_and_its_number_is_nobody_elses(examples):
    third = examples.add_class()
    examples.add(third, item(1), np.ones(D))
    assert examples.names() == ("Class 1", "Class 2", "Class 3")
    name = examples.remove_class(third)
    assert examples.add_class("Pen") == third + 1
    assert [len(found.examples) for found in examples.classes()] == [0, 0, 0]
    examples.put_class(third, name)
    assert examples.names() == ("Class 1", "Class 2", "Class 3", "Pen")
    assert [len(found.examples) for found in examples.classes()] == [0, 0, 1, 0]


def test_a_class_without_a_name_is_called_by_its_number_in_the_language_of_who_reads_it(examples):
    examples.add_class()
    examples.rename(1, "Pen")
    examples.add_class("Class 5")
    examples.add_class()
    chinese = Examples(examples.folder, examples.kind, "类别 {n}")
    assert examples.names() == ("Pen", "Class 2", "Class 3", "Class 5", "Class 6")
    assert chinese.names() == ("Pen", "类别 2", "类别 3", "Class 5", "类别 6")
    assert chinese.state() == examples.state()  # what a head learns from is the same


def test_starting_over_can_be_undone(examples):
    examples.add(1, item(1), np.ones(D))
    before = examples.state()
    examples.clear()
    assert examples.classes()[0].examples == ()
    examples.restore()
    assert examples.state() == before


@pytest.mark.parametrize("name", ["", "   ", "Class 2", "x" * (MOST_LETTERS + 1)])
def test_a_name_that_cannot_be_is_refused_in_a_sentence(examples, name):
    with pytest.raises(SpecError):
        examples.rename(1, name)
    assert examples.names() == ("Class 1", "Class 2")


def test_a_name_may_be_anything_that_prints(examples):
    examples.rename(1, " 一二三 \n <b>♥</b> ")
    assert examples.names()[0] == "一二三 <b>♥</b>"


@pytest.mark.parametrize(
    "act",
    [
        lambda one: one.add(9, item(1), np.ones(D)),
        lambda one: one.add(1, np.zeros((5, 5, 1), np.uint8), np.ones(D)),
        lambda one: one.remove("../classes.json"),
        lambda one: one.item("nothing.npz"),
        lambda one: one.remove_class(1),
        lambda one: teaching.of("../ann", "photo"),
        lambda one: teaching.of("ann", "sound"),
    ],
)
def test_what_is_not_there_or_does_not_fit_is_refused(examples, act):
    with pytest.raises((SpecError, DataError)):
        act(examples)


def test_there_is_a_limit_to_examples_and_to_classes(examples, monkeypatch):
    monkeypatch.setattr("tlcore.teaching.examples.MOST_EXAMPLES", 1)
    monkeypatch.setattr("tlcore.teaching.examples.MOST_CLASSES", 2)
    examples.add(1, item(1), np.ones(D))
    with pytest.raises(DataError, match="limit"):
        examples.add(1, item(2), np.ones(D))
    with pytest.raises(SpecError, match="limit"):
        examples.add_class()


# ------------------------------------------------------------------ who answers


def test_the_model_follows_what_is_shown_and_features_are_computed_once(examples):
    asked = []

    def predict(one, names, timeout_s):
        asked.append(names)
        return {names[0]: np.eye(D)[one.ravel()[0]].tolist()}

    def extract(items):
        return np.eye(D, dtype=np.float32)[items[:, 0, 0, 0]]

    model = collected.Follower(examples, extract)
    with pytest.raises(DataError, match="Two classes"):
        model(item(1)[None])
    for label, value in ((1, 1), (2, 2)):
        collected.keep(examples, label, item(value), predict, 1.0)
    assert model(np.stack([item(1), item(2)])).argmax(axis=1).tolist() == [0, 1]
    third = examples.add_class("third")
    collected.keep(examples, third, item(3), predict, 1.0)
    assert model(item(3)[None]).argmax() == 2 and model(item(1)[None]).shape == (1, 3)
    assert asked == [["features:image"]] * 3


def test_what_is_like_nothing_shown_is_outside_once_there_are_a_few_examples(examples):
    draws = np.random.default_rng(0)

    def shown(place: int) -> np.ndarray:
        item = draws.integers(0, 30, examples.kind.form.shape).astype(np.uint8)
        item.reshape(-1)[place : place + 3] = 255
        return item

    def extract(items):
        return items.reshape(len(items), -1).astype(np.float32)

    ids = [one.id for one in examples.classes()]
    strangers = collected.Strangers(examples, extract)
    assert strangers(shown(0)[None]).tolist() == [[0.0, 0.0]]  # nothing was shown yet
    for _ in range(4):
        for id, place in zip(ids, (0, 8), strict=True):
            item = shown(place)
            examples.add(id, item, extract(item[None])[0])
    known, strange = strangers(np.stack([shown(0), shown(4)]))[:, 0]
    assert known <= 1 < strange


def test_a_process_that_does_not_answer_keeps_nothing(examples):
    with pytest.raises(DataError, match="still loading"):
        collected.keep(examples, 1, item(1), lambda one, names, s: {names[0]: "The models are still loading."}, 1.0)
    assert examples.classes()[0].examples == ()


def test_names_of_what_was_taught_are_parsed_and_find_their_form(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    asked = ModelName.parse(collected.name_of("0123abcd", "photo"))
    assert (asked.kind, asked.id) == ("collected", "photo-0123abcd")
    assert collected.form_of(asked) == InputForm("photo", (96, 96, 3))
    assert collected.form_of(ModelName.parse("features:image")) == InputForm("image", (28, 28, 1))


@pytest.mark.parametrize("kind", list(teaching.KINDS))
def test_the_examples_to_begin_with_have_the_form_of_their_kind(kind):
    found = list(teaching.ready_made.items(kind))
    names = teaching.ready_made.class_names(kind)
    assert [name for name, _item in found] == [*names] * teaching.ready_made.N_EACH
    assert {one.shape for _name, one in found} == {teaching.kind(kind).form.shape}


def test_examples_become_a_set_of_ones_own_with_a_part_to_test(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    examples = teaching.of("0" * 32, "image")
    ids = examples.begin(("1", "4", "7"))
    for name, one in teaching.ready_made.items("image"):
        examples.add(ids[name], one, np.ones(D))
    card = teaching.as_set(examples, "0" * 32)
    assert (card.title, card.class_names, card.owner) == ("1, 4, 7", ("1", "4", "7"), "0" * 32)
    assert (sum(card.sizes), sum(card.test_sizes)) == (12, 3) and card.form == examples.kind.form
    raw = datasets.get(card.name).read()
    kept = {raw.x_train[i].tobytes() for i in range(12)} | {raw.x_test[i].tobytes() for i in range(3)}
    assert kept == {one.tobytes() for _name, one in teaching.ready_made.items("image")}


# ------------------------------------------------------------------ the command


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Pictures of digits in class folders, and features that need no network."""
    for name, item_ in teaching.ready_made.items("image"):
        (tmp_path / "pictures" / name).mkdir(parents=True, exist_ok=True)
        number = len(list((tmp_path / "pictures" / name).iterdir()))
        picture = Image.fromarray(255 - item_[..., 0]).resize((112, 112))
        picture.save(tmp_path / "pictures" / name / f"{number}.png")
    monkeypatch.setattr(
        collected, "extractor", lambda kind: lambda items: items.reshape(len(items), -1) / np.float32(255)
    )
    return tmp_path / "pictures"


def test_the_command_learns_folders_tells_how_well_and_answers(folders, tmp_path, capsys):
    (folders / ".hidden").mkdir()
    (folders / "1" / "notes.txt").write_text("no picture")
    asked = str(folders / "7" / "0.png")
    line = ["--home", str(tmp_path / "home"), "teach", str(folders), "--kind", "image"]
    assert cli.main([*line, "--json"]) == 2  # the file that is no picture
    told, error = capsys.readouterr()
    value = json.loads(told)
    assert value["classes"] == ["1", "4", "7"] and value["n_examples"] == 15 and "notes.txt" in error
    (folders / "1" / "notes.txt").unlink()
    assert cli.main([*line, "--ask", asked]) == 0
    said, _error = capsys.readouterr()
    assert "examples that it had not seen" in said and json.loads(said.splitlines()[-1])["label"] == "7"


def test_the_command_refuses_what_is_no_folder_of_classes(tmp_path, capsys):
    assert cli.main(["--home", str(tmp_path / "home"), "teach", str(tmp_path / "none")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_examples_that_are_all_alike_teach_the_share_of_each_class_and_nothing_else():
    x, y = np.ones((3, 5), np.float32), np.array([0, 1, 1])
    shares = teaching.fit(x, y, 2).predict_proba(x)
    assert np.allclose(shares, [1 / 3, 2 / 3], atol=0.01)
    assert teaching.score(x, y, 2).n == 3
