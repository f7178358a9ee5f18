"""People's own pictures: each kind of file, what the report says, what mends do, and a set as a target."""

import io
import zipfile
from pathlib import Path

import numpy as np
import picture_files as files
import pytest
from PIL import Image, ImageOps

from tlcore import cli, datasets, people, prediction
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Choices, Given, Limits, bounds, draft, reading
from tlcore.datasets.own_sets.decoding import decoded, turned_back
from tlcore.datasets.own_sets.planning import select
from tlcore.errors import DataError, LabError, RightsError, SpecError
from tlcore.jobs.execution import execute
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase

ME, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def looked(*givens: Given, owner: str = "", most: Limits | None = None) -> own_sets.Report:
    """Read files as the child process does, in this one."""
    place = draft.new_place(owner)
    return reading.read(place, givens, owner, most or Limits())


def counted(report: own_sets.Report) -> dict[str, tuple[int, int]]:
    return {count.name: (count.n_train, count.n_test) for count in report.classes}


def found(report: own_sets.Report, kind: str) -> own_sets.Finding:
    return next(finding for finding in report.findings if finding.kind == kind)


def added(*givens: Given, title: str = "pets", choices: Choices | None = None, owner: str = "") -> own_sets.Card:
    report = looked(*givens, owner=owner)
    return own_sets.add(report.id, title, choices or Choices(), owner)


# ------------------------------------------------------------------ kinds of files


def test_a_zip_of_class_folders_is_read_whatever_a_computer_adds_to_it(tmp_path):
    noise = {"__MACOSX/cat/._0.png": b"x", "cat/.DS_Store": b"x", "Thumbs.db": b"x", "readme.txt": b"hello"}
    report = looked(files.zipped(tmp_path / "pets.zip", files.pets() | noise))
    assert counted(report) == {"cat": (5, 0), "dog": (5, 0)}
    assert (report.kind, report.form, report.n, report.split) == ("folders", "photo", 10, False)
    assert report.sizes.most == (60, 50)
    assert [finding.kind for finding in report.findings] == ["skipped"]
    assert own_sets.thumbnails(report.id, "", report.classes[0].rows).shape == (5, 96, 96, 3)


@pytest.mark.parametrize("around", ["", "pets/", "data/pets/"])
@pytest.mark.parametrize("inside", ["{part}/{name}", "{name}/{part}"])
def test_folders_around_and_train_and_test_folders_are_seen(tmp_path, around, inside):
    named = {}
    for part, n in (("Train", 3), ("val", 1), ("test", 2)):
        for name in ("cat", "dog"):
            folder = around + inside.format(part=part, name=name)
            named |= {f"{folder}/{part}{i}.png": files.encoded(files.scene(name, 10 * n + i)) for i in range(n)}
    report = looked(files.zipped(tmp_path / "pets.zip", named))
    assert counted(report) == {"cat": (4, 2), "dog": (4, 2)} and report.split
    assert found(report, "validation").n == 2


def test_a_folder_deeper_is_of_the_class_above_it_and_backslashes_are_folders(tmp_path):
    pictures = files.pets(3)
    deeper = {name.replace("cat/", "cat\\young\\"): content for name, content in pictures.items()}
    assert counted(looked(files.zipped(tmp_path / "a.zip", deeper))) == {"cat": (3, 0), "dog": (3, 0)}


def test_loose_pictures_take_their_class_from_a_label_or_a_folder(tmp_path):
    contents = list(files.pets(3).items())
    for i, (_name, content) in enumerate(contents):
        (tmp_path / str(i)).write_bytes(content)
    labelled = [Given(tmp_path / str(i), f"{i}.png", name.partition("/")[0]) for i, (name, _) in enumerate(contents)]
    in_folders = [Given(tmp_path / str(i), f"all/{name}") for i, (name, _) in enumerate(contents)]
    for givens in (labelled, in_folders):
        report = looked(*givens)
        assert counted(report) == {"cat": (3, 0), "dog": (3, 0)} and report.kind == "files"


@pytest.mark.parametrize("key", ["{folder}/{stem}.png", "{stem}-{folder}.png", "{stem}-{folder}"])
def test_a_table_of_paths_gives_the_labels_of_a_zip(tmp_path, key):
    pictures, rows = {}, ["file,Label"]
    for name, content in files.pets(3).items():
        folder, _, stem = name.removesuffix(".png").partition("/")
        inside = key if key.endswith(".png") else key + ".png"
        pictures["images/" + inside.format(folder=folder, stem=stem)] = content
        rows.append(f"{key.format(folder=folder, stem=stem)},{folder}")
    table = files.written(tmp_path / "labels.csv", "\n".join(rows).encode())
    report = looked(table, files.zipped(tmp_path / "pictures.zip", pictures))
    assert counted(report) == {"cat": (3, 0), "dog": (3, 0)} and report.kind == "table"


@pytest.mark.parametrize("header", [True, False])
def test_a_table_of_pixels_is_read_as_mnists_are_shared(tmp_path, header):
    images = files.digits(8)
    report = looked(files.written(tmp_path / "digits.csv", files.pixel_csv(images, [7, 3] * 4, header)))
    assert counted(report) == {"3": (4, 0), "7": (4, 0)} and report.form == "image"
    np.testing.assert_array_equal(own_sets.thumbnails(report.id, "", range(8)), images)


def test_two_tables_named_train_and_test_are_these_parts(tmp_path):
    train = files.written(tmp_path / "mnist_train.csv", files.pixel_csv(files.digits(8), [1, 2] * 4))
    test = files.written(
        tmp_path / "mnist_test.csv.gz", files.packed(files.pixel_csv(files.digits(4, seed=1), [1, 2] * 2))
    )
    assert counted(looked(train, test)) == {"1": (4, 2), "2": (4, 2)}


def test_an_npz_of_x_and_y_and_one_laid_out_as_medmnists_are_read(tmp_path):
    images = files.digits(9)
    report = looked(files.npz(tmp_path / "a.npz", x=images, y=np.array(["b", "a", "c"] * 3)))
    assert counted(report) == {"a": (3, 0), "b": (3, 0), "c": (3, 0)} and report.form == "image"
    parts = {}
    for seed, (part, n) in enumerate((("train", 6), ("val", 2), ("test", 4))):
        parts |= {f"{part}_images": files.digits(n, seed=seed), f"{part}_labels": np.arange(n)[:, None] % 2}
    report = looked(files.npz(tmp_path / "medmnist.npz", **parts))
    assert counted(report) == {"0": (4, 2), "1": (4, 2)} and report.split
    np.testing.assert_array_equal(own_sets.thumbnails(report.id, "", range(6)), parts["train_images"])


@pytest.mark.parametrize(
    "values",
    [
        lambda x: x / np.float32(255),
        lambda x: x.astype(np.int64),
        lambda x: np.asfortranarray(x),
        lambda x: x[:, None],  # channels first
        lambda x: x.reshape(len(x), -1),
        lambda x: np.repeat(x[..., None], 3, axis=3),
    ],
)
def test_pixels_of_an_npz_may_have_any_usual_form(tmp_path, values):
    images = files.digits(6)
    report = looked(files.npz(tmp_path / "a.npz", images=values(images), labels=np.arange(6) % 2))
    np.testing.assert_array_equal(own_sets.thumbnails(report.id, "", range(6)), images)


def test_classes_have_the_names_that_an_npz_gives_them(tmp_path):
    names = np.array(["cat", "dog"])
    report = looked(files.npz(tmp_path / "a.npz", x=files.digits(6), y=np.arange(6) % 2, class_names=names))
    assert set(counted(report)) == {"cat", "dog"}


def test_the_four_files_of_idx_are_one_set_zipped_or_not(tmp_path):
    named = {
        "train-images-idx3-ubyte": files.idx(files.digits(8)),
        "train-labels-idx1-ubyte": files.idx(np.arange(8, dtype=np.uint8) % 2),
        "t10k-images-idx3-ubyte.gz": files.packed(files.idx(files.digits(4, seed=1))),
        "t10k-labels-idx1-ubyte.gz": files.packed(files.idx(np.arange(4, dtype=np.uint8) % 2)),
    }
    report = looked(*(files.written(tmp_path / name, content) for name, content in named.items()))
    assert counted(report) == {"0": (4, 2), "1": (4, 2)} and (report.kind, report.form) == ("idx", "image")


def test_a_zip_may_hold_a_table_beside_its_pictures_or_the_files_of_another_kind(tmp_path):
    pictures = {f"images/{name.replace('/', '_')}": content for name, content in files.pets(3).items()}
    rows = "".join(f"{name.partition('/')[2]},{name[7:10]}\n" for name in pictures)
    report = looked(files.zipped(tmp_path / "a.zip", pictures | {"train.csv": f"image_id,label\n{rows}".encode()}))
    assert counted(report) == {"cat": (3, 0), "dog": (3, 0)} and report.kind == "table"
    labels = np.arange(8, dtype=np.uint8) % 2
    inner = {"d/train-images-idx3-ubyte": files.idx(files.digits(8)), "d/train-labels-idx1-ubyte": files.idx(labels)}
    report = looked(files.zipped(tmp_path / "b.zip", inner))
    assert counted(report) == {"0": (4, 0), "1": (4, 0)} and report.kind == "idx"
    assert not (draft.opened(report.id, "").place / "unpacked").exists()


def test_pictures_and_labels_may_be_two_npz_files(tmp_path):
    givens = []
    for part, n in (("train", 6), ("test", 4)):
        givens.append(files.npz(tmp_path / f"kmnist-{part}-imgs.npz", arr_0=files.digits(n, seed=n)))
        givens.append(files.npz(tmp_path / f"kmnist-{part}-labels.npz", arr_0=np.arange(n) % 2))
    assert counted(looked(*givens)) == {"0": (3, 2), "1": (3, 2)}
    assert counted(looked(*givens[:2])) == {"0": (3, 0), "1": (3, 0)}


def test_of_more_pictures_than_a_set_may_have_so_many_are_drawn_class_by_class(tmp_path):
    given = files.npz(tmp_path / "a.npz", x=files.digits(40), y=np.arange(40) % 2)
    report = looked(given, most=Limits(pictures=10))
    assert counted(report) == {"0": (5, 0), "1": (5, 0)} and found(report, "too_many").n == 30


# ------------------------------------------------------------------ one picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_sideways_picture_is_turned_upright_and_can_be_turned_back(orientation):
    picture = decoded(files.sideways(files.scene("cat", 0), orientation))
    with Image.open(io.BytesIO(files.sideways(files.scene("cat", 0), orientation))) as stored:
        upright, lying = ImageOps.exif_transpose(stored), np.asarray(stored)
    np.testing.assert_array_equal(picture.pixels, np.asarray(upright))
    np.testing.assert_array_equal(turned_back(picture.pixels, picture.turned), lying)
    assert (picture.width, picture.height, picture.turned) == (60, 50, orientation)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_a_picture_of_any_mode_has_one_or_three_channels(mode):
    kind = {"CMYK": "JPEG", "F": "TIFF"}.get(mode, "PNG")
    picture = Image.new("L", (9, 9), 100) if mode in ("I;16", "F") else files.scene("cat", 0, (9, 9))
    pixels = decoded(files.encoded(picture.convert(mode), kind)).pixels
    assert pixels.dtype == np.uint8 and pixels.shape[:2] == (9, 9) and pixels.shape[2:] in ((), (3,))


# ------------------------------------------------------------------ the report and its mends


@pytest.fixture
def troubled(tmp_path):
    """A ZIP with a damaged file, a sideways picture, twins of each kind, a tiny and a grey one, and a small class."""
    pictures = {f"train/{name}": content for name, content in files.pets(9).items()}
    pictures |= {f"test/{name}": files.encoded(files.scene(name[:3], 50 + int(name[4]))) for name in files.pets(3)}
    pictures["train/cat/damaged.jpg"] = files.encoded(files.scene("cat", 70), "JPEG")[:200]
    pictures["train/cat/sideways.jpg"] = files.sideways(files.scene("cat", 71))
    pictures["train/cat/again.jpg"] = files.encoded(files.scene("cat", 0), "JPEG", quality=80)
    pictures["train/dog/cat.png"] = files.encoded(files.scene("cat", 1))
    pictures["train/dog/tested.png"] = files.encoded(files.scene("dog", 50))
    pictures["train/dog/tiny.png"] = files.encoded(files.scene("dog", 72, (20, 20)))
    pictures["train/dog/grey.png"] = files.encoded(files.scene("dog", 73).convert("L"))
    pictures |= {f"train/owl/{i}.png": files.encoded(files.scene("owl", i)) for i in range(2)}
    return looked(files.zipped(tmp_path / "pets.zip", pictures))


def test_the_report_names_what_is_wrong(troubled):
    names = {finding.kind: finding.names for finding in troubled.findings}
    assert names["damaged"] == ("train/cat/damaged.jpg",)
    assert names["sideways"] == ("train/cat/sideways.jpg",)
    assert names["twins"] == ("train/cat/again.jpg",)
    assert set(names["twins_across"]) == {"train/cat/1.png", "train/dog/cat.png"}
    assert names["twins_parts"] == ("train/dog/tested.png",)
    assert names["tiny"] == ("train/dog/tiny.png",)
    assert names["grey"] == ("train/dog/grey.png",)
    assert "owl" in str(found(troubled, "few").sentence)
    assert own_sets.Report.from_json(troubled.to_json()) == troubled
    assert own_sets.report(troubled.id) == troubled


def test_each_mend_leaves_out_what_it_says(troubled):
    def n(*mends: str) -> dict[str, tuple[int, int]]:
        planned = own_sets.plan(troubled.id, "", Choices(mends=mends))
        return {count.name: (count.n_train, count.n_test) for count in planned.classes}

    assert n() == {"cat": (11, 3), "dog": (13, 3), "owl": (2, 0)}
    assert n("few") == {"cat": (11, 3), "dog": (13, 3)}
    assert n("few", "twins")["cat"] == (10, 3)
    assert n("few", "twins_across") == {"cat": (10, 3), "dog": (12, 3)}
    assert n("few", "twins_parts")["dog"] == (12, 3)
    assert n("few", "tiny")["dog"] == n("few", "grey")["dog"] == (12, 3)
    assert set(troubled.mends) == {"few", "rotate", "twins", "twins_across", "twins_parts"}
    planned = own_sets.plan(troubled.id)
    assert planned.problems == () and planned.n_left_out == 6


def test_classes_are_renamed_merged_and_left_out(tmp_path):
    report = looked(files.zipped(tmp_path / "a.zip", files.pets(4, ("cat", "dog", "owl"))))
    merged = own_sets.plan(report.id, "", Choices(names=(("cat", "mammal"), ("dog", "mammal"))))
    assert {count.name: count.n for count in merged.classes} == {"mammal": 8, "owl": 4}
    left = own_sets.plan(report.id, "", Choices(names=(("owl", ""),), left_out=(0,)))
    assert {count.name: count.n for count in left.classes} == {"cat": 3, "dog": 4} and left.n_left_out == 5


def test_minimums_are_said_in_words(tmp_path):
    report = looked(files.zipped(tmp_path / "a.zip", files.pets(4)))
    one = own_sets.plan(report.id, "", Choices(names=(("dog", ""),)))
    assert "at least 2 classes" in str(one.problems[0])
    few = own_sets.plan(report.id, "", Choices(left_out=(0, 1)))
    assert "at least 3 pictures" in str(few.problems[0]) and "cat" in str(few.problems[0])
    with pytest.raises(DataError, match="at least 3 pictures"):
        own_sets.add(report.id, "pets", Choices(left_out=(0, 1)))


def test_so_many_of_each_class_and_a_balance_are_drawn_by_seed(tmp_path):
    pictures = files.pets(20) | files.pets(6, ("owl",))
    report = looked(files.zipped(tmp_path / "a.zip", pictures))
    assert found(report, "lopsided").default is False
    words = "Lopsided: class cat has 20 pictures, class owl has 6. Always guessing cat would be right in "
    assert str(found(report, "lopsided").sentence).startswith(words)  # a class may be called 1
    balanced = own_sets.plan(report.id, "", Choices(mends=("balance",)))
    assert {count.n_train for count in balanced.classes} == {5}
    few, again, other = (own_sets.plan(report.id, "", Choices(per_class=5, seed=seed)) for seed in (0, 0, 1))
    assert {count.n for count in few.classes} == {5} and few == again != other


def test_the_test_part_is_a_share_of_each_class_and_never_holds_a_twin_of_training(tmp_path):
    pictures = files.pets(10)
    pictures |= {f"cat/twin{i}.png": files.encoded(files.scene("cat", i)) for i in range(5)}
    report = looked(files.zipped(tmp_path / "a.zip", pictures))
    for seed in range(5):
        chosen = select(draft.opened(report.id, ""), Choices(mends=(), seed=seed))
        groups = draft.opened(report.id, "").facts().group
        assert not set(groups[chosen.train]) & set(groups[chosen.test])
        assert np.bincount(chosen.y_test).tolist() in ([3, 2], [2, 2])


def test_dark_digits_on_white_are_made_light_on_black(tmp_path):
    given = files.npz(tmp_path / "a.npz", x=255 - files.digits(8), y=np.arange(8) % 2)
    card = added(given)
    assert datasets.get(card.name).read().x_train[0, 0, 0, 0] == 0
    plain = added(given, title="as given", choices=Choices(mends=()))
    assert datasets.get(plain.name).read().x_train[0, 0, 0, 0] == 255


def test_a_card_says_whether_grey_pictures_fill_their_frame_or_are_ink_on_a_ground(tmp_path, store):
    x_rays = np.random.default_rng(0).integers(90, 200, (8, 28, 28), np.uint8)
    given = {"x_rays": x_rays, "digits": files.digits(8), "scans": 255 - files.digits(8)}
    cards = {
        name: added(files.npz(tmp_path / f"{name}.npz", x=x, y=np.arange(8) % 2), title=name)
        for name, x in given.items()
    }
    assert {name: card.whole for name, card in cards.items()} == {"x_rays": True, "digits": False, "scans": False}
    assert own_sets.card(cards["x_rays"].name).whole
    runs = {name: store.create(FineTuneSpec(data=DataSpec(card.name))) for name, card in cards.items()}
    whole = {name: prediction.reads_whole(f"run:{run.id}", store.get) for name, run in runs.items()}
    assert whole == {"x_rays": True, "digits": False, "scans": False}
    assert not prediction.reads_whole("source:digits", store.get)


def test_small_grey_pictures_can_be_taken_as_photographs_and_back(tmp_path):
    given = files.npz(tmp_path / "a.npz", x=files.digits(8), y=np.arange(8) % 2)
    assert added(given, choices=Choices(form="photo")).form.shape == (96, 96, 3)
    pets = files.zipped(tmp_path / "a.zip", files.pets(4))
    card = added(pets, title="grey pets", choices=Choices(form="image"))
    assert datasets.get(card.name).items("test", np.array([0])).shape == (1, 28, 28, 1)


# ------------------------------------------------------------------ the sets


def test_a_set_is_a_target_named_by_its_content(tmp_path):
    card = added(files.zipped(tmp_path / "pets.zip", files.pets(6)), owner=ME)
    info = datasets.info(card.name)
    assert card.hash.startswith(card.name.split("-")[1]) and info == card.info
    assert (info.class_names, info.sizes, info.n_test) == (("cat", "dog"), (5, 5), 2)
    data = datasets.load(DataSpec(card.name, per_class=None))
    assert data.x_train.shape[1:] == (96, 96, 3) and len(data.y_validation) == 1 and len(data.y_test) == 2
    images, labels = datasets.samples(card.name, 2)
    assert images.shape == (2, 96, 96, 3) and sorted(labels) == [0, 1]
    again = added(files.zipped(tmp_path / "again.zip", files.pets(6)), title="animals", owner=ME)
    assert (again.name, again.hash) == (card.name, card.hash) and own_sets.card(card.name).title == "animals"


def test_a_set_is_its_persons_and_the_host_sees_all(tmp_path):
    given = files.zipped(tmp_path / "pets.zip", files.pets())
    mine, theirs = added(given, owner=ME), added(given, owner=OTHER)
    assert mine.name != theirs.name and mine.hash == theirs.hash
    assert [card.name for card in own_sets.kept(ME)] == [mine.name]
    assert {card.name for card in own_sets.kept()} == {mine.name, theirs.name}
    assert datasets.offered(ME)[-1] == mine.info and len(datasets.offered()) == len(datasets.catalogue()) + 2
    report = looked(given, owner=ME)
    for ask in (own_sets.report, own_sets.plan):
        with pytest.raises(DataError, match="pictures are gone"):
            ask(report.id, OTHER)


def test_a_title_that_is_taken_or_empty_is_refused(tmp_path):
    added(files.zipped(tmp_path / "pets.zip", files.pets()))
    report = looked(files.zipped(tmp_path / "more.zip", files.pets(7)))
    for title in ("pets", "mnist"):
        with pytest.raises(SpecError, match="already"):
            own_sets.add(report.id, title)
    with pytest.raises(SpecError, match="1 to 60"):
        own_sets.add(report.id, " \n ")
    assert own_sets.add(report.id, "other\npets").title == "other pets"


def test_a_removed_set_is_one_sentence_can_be_brought_back_and_goes_for_good(tmp_path):
    card = added(files.zipped(tmp_path / "pets.zip", files.pets()))
    own_sets.remove(card.name)
    own_sets.sweep()
    assert own_sets.kept() == () and datasets.info(card.name).title == "pets"
    own_sets.remove(card.name, removed=False)
    assert datasets.load(DataSpec(card.name, per_class=1)).class_names == ("cat", "dog")
    own_sets.remove(card.name)
    own_sets.sweep(older_than_s=0)
    with pytest.raises(DataError, match="'pets' were removed"):
        datasets.load(DataSpec(card.name, per_class=1))
    with pytest.raises(DataError, match="gone for good"):
        own_sets.remove(card.name, removed=False)
    assert added(files.zipped(tmp_path / "pets.zip", files.pets())).name == card.name


def test_a_set_is_packed_as_class_folders_and_is_the_same_set_again(tmp_path):
    card = added(files.zipped(tmp_path / "pets.zip", files.pets()))
    with open(tmp_path / "packed.zip", "wb") as file:
        own_sets.write_zip(card.name, file)
    with zipfile.ZipFile(tmp_path / "packed.zip") as archive:
        assert sorted({name.rpartition("/")[0] for name in archive.namelist()}) == [
            "test/cat", "test/dog", "train/cat", "train/dog",
        ]  # fmt: skip
    again = added(Given(tmp_path / "packed.zip", "packed.zip"), title="again", owner=ME)
    assert again.hash == card.hash


def test_a_cleaned_set_is_a_new_version_beside_the_old_one(tmp_path):
    old = added(files.zipped(tmp_path / "pets.zip", files.pets(6)), owner=ME)
    new = own_sets.revise(old.name, {("train", 0): "dog"}, {("train", 9)}, owner=ME)
    assert (new.title, new.sizes, new.class_names) == ("pets (2)", (4, 5), ("cat", "dog")) and new.hash != old.hash
    before, now = datasets.get(old.name).read(), datasets.get(new.name).read()
    np.testing.assert_array_equal(now.x_train, before.x_train[:9])
    assert now.y_train.tolist() == [1, *before.y_train[1:9]] and old.name in str(new.notes[-1])
    with pytest.raises(SpecError, match="Nothing would change"):
        own_sets.revise(old.name, owner=ME)
    with pytest.raises(SpecError, match="no picture train/100"):
        own_sets.revise(old.name, {("train", 99): "cat"}, owner=ME)
    with pytest.raises(DataError, match="Too few has: owl"):
        own_sets.revise(old.name, {("train", 0): "owl"}, owner=ME)
    assert cli.main(["datasets", "revise", "pets", "--leave-out", "train/cat/00001.png", "--title", "clean"]) == 0
    assert own_sets.kept()[0].title == "clean" and list((own_sets.folder() / "drafts").iterdir()) == []


def test_limits_are_settings_and_each_is_one_sentence(tmp_path, monkeypatch):
    assert own_sets.limits({"TRANSFER_LAB_SET_MB": "7"}) == Limits(mb=7)
    with pytest.raises(SpecError, match="TRANSFER_LAB_SET_PICTURES must be"):
        own_sets.limits({"TRANSFER_LAB_SET_PICTURES": "many"})
    with pytest.raises(DataError, match="the limit for a set is 1"):
        own_sets.check_room(ME, 2 * 2**20, Limits(mb=1))
    with pytest.raises(RightsError, match="Your sets take"):
        own_sets.check_room(ME, 2 * 2**20, Limits(person_mb=1))
    monkeypatch.setattr(bounds, "DISK_SHARE", 0.0)
    with pytest.raises(RightsError, match="quarter of the free disk"):
        own_sets.check_room(ME, 1)


def test_what_a_person_removed_makes_room_for_what_they_bring(tmp_path):
    card = added(files.zipped(tmp_path / "pets.zip", files.pets(30)), owner=ME)
    own_sets.remove(card.name)
    assert own_sets.used_mb(ME) > 1
    own_sets.check_room(ME, 1, Limits(person_mb=1))
    assert own_sets.used_mb(ME) < 0.1


def test_only_the_last_drafts_of_a_person_stay(tmp_path):
    given = files.zipped(tmp_path / "pets.zip", files.pets())
    first, *_others = [looked(given, owner=ME) for _ in range(3)]
    with pytest.raises(DataError, match="pictures are gone"):
        own_sets.report(first.id, ME)
    with pytest.raises(DataError, match="pictures are gone"):
        own_sets.report("../../secret", ME)


# ------------------------------------------------------------------ the process, and the runs


def test_a_child_process_reads_and_tells_how_far_it_is(tmp_path):
    told = []
    seven = (Path(__file__).parent / "hostile" / "seven.heic").read_bytes()
    given = files.zipped(tmp_path / "pets.zip", files.pets() | {"cat/seven.heic": seven})
    report = own_sets.look([given], ME, lambda *n: told.append(n))
    assert counted(report) == {"cat": (6, 0), "dog": (5, 0)} and report.owner == ME
    assert all(done <= total == 11 for done, total in told)
    with pytest.raises(DataError, match="no class folders"):
        own_sets.look([files.zipped(tmp_path / "flat.zip", {"a.png": files.encoded(files.scene("cat", 0))})])
    with pytest.raises(own_sets.Stopped):
        own_sets.look([files.zipped(tmp_path / "pets.zip", files.pets())], ME, stopped=lambda: True)
    assert len(list((own_sets.folder() / "drafts").iterdir())) == 1


def test_a_run_learns_from_a_set_and_names_it(tmp_path, store):
    light = np.concatenate([files.digits(12), files.digits(12) // 4])
    card = added(files.npz(tmp_path / "a.npz", x=light, y=np.repeat(["light", "dark"], 12)), title="blobs")
    data = DataSpec(card.name, per_class=5)
    tune = FineTuneSpec(data=data, phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),))
    run = store.create(tune)
    execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "done", run.error
    assert run.spec.data.target == card.name and run.result.class_names == ("dark", "light")
    heads = store.create(HeadSpec(data=data))
    execute(heads.id, str(store.folder))
    assert store.get(heads.id).state == "done", store.get(heads.id).error
    own_sets.remove(card.name)
    own_sets.sweep(older_than_s=0)
    late = store.create(tune)
    execute(late.id, str(store.folder))
    assert store.get(late.id).state == "failed" and "'blobs' were removed" in str(store.get(late.id).error)


def test_nobody_starts_a_run_on_anothers_set(tmp_path, store):
    card = added(files.zipped(tmp_path / "pets.zip", files.pets()), owner=ME)
    spec = FineTuneSpec(data=DataSpec(card.name), source="mobilenet_v2")
    for person, allowed in (
        (people.Person(ME), True),
        (people.Person(OTHER, host=True), True),
        (people.Person(OTHER), False),
    ):
        access = people.Access(store, person, people.Limits(), lambda run_id: None)
        if allowed:
            assert access.create(spec).owner == person.id
        else:
            with pytest.raises(RightsError, match="belong to somebody else"):
                access.create(spec)


# ------------------------------------------------------------------ the command line


def test_the_command_line_reports_adds_lists_packs_and_removes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own_sets, "look", lambda givens, progress: looked(*givens))
    files.zipped(tmp_path / "pets.zip", files.pets(6, ("cat", "dog", "owl")))

    def line(*words: str) -> str:
        assert cli.main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    told = line("datasets", "report", "pets.zip", "--leave-out", "owl")
    assert "18 pictures in 3 classes" in told and "left out: 6" in told
    told = line("datasets", "add", "my pets", "pets.zip", "--rename", "owl=bird", "--per-class", "5")
    assert "my pets, 15 pictures in 3 classes" in told
    (card,) = own_sets.kept()
    assert card.class_names == ("bird", "cat", "dog") and card.name in line("datasets")
    assert "trainable" in line("describe", "mobilenet_v2", "--target", "my pets")
    assert "bytes" in line("datasets", "pack", "my pets", "out.zip")
    line("datasets", "rename", "my pets", "pets")
    assert datasets.called(card.name) == f"pets ({card.name})" and "No runs" in line("runs", "--target", "pets")
    line("datasets", "remove", "pets")
    assert card.name not in line("datasets")
    line("datasets", "remove", "pets", "--undo")
    assert [each.title for each in own_sets.kept()] == ["pets"]
    assert cli.main(["datasets", "remove", "nothing"]) == 2
    assert cli.main(["what-if", "--target", "nothing"]) == 2
    assert "There is no target 'nothing'" in capsys.readouterr().err
    with pytest.raises(LabError):
        datasets.find("nothing")
