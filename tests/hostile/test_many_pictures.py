"""Hostile pictures without labels: each gives answers or one sentence, and nothing of it leaves its folder."""

from pathlib import Path

import picture_files as files
import pytest
from hostile import data_sets
from hostile.asked import refusal
from hostile.tried import count

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Given, Limits, draft
from tlcore.datasets.own_sets import many as reading
from tlcore.errors import LabError
from tlcore.spec import InputForm

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's about broken EXIF, zipfile's about names that come twice

LIMITS = Limits(pictures=200, mb=20)
PHOTO = InputForm("photo", (96, 96, 3))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "home"))


def taken(folder: Path, named: data_sets.Named) -> own_sets.Batch | None:
    """Read files as the child does; None when they were refused in one sentence."""
    givens = []
    for i, (name, content) in enumerate(named.items()):
        (folder / str(i)).write_bytes(content)
        givens.append(Given(folder / str(i), name))
    place = draft.new_place("")
    try:
        reading.read_many(place, givens, PHOTO, True, LIMITS)
    except LabError as error:
        assert refusal(error)
        return None
    batch = own_sets.batch(place.name)
    assert all(refusal(LabError(reason.template, **reason.values)) for _name, reason in batch.refused)
    assert batch.items(range(len(batch.names))).shape == (len(batch.names), *PHOTO.shape)
    assert {path.name for path in folder.iterdir()} <= {"home", *map(str, range(5))}
    return batch


@pytest.mark.parametrize("kind", ["zip", "deflated"])
def test_a_zip_cut_off_or_spoilt_anywhere_gives_answers_or_one_sentence(kind, tmp_path):
    honest = data_sets.honest()[kind]
    assert len(taken(tmp_path, honest).names) == len(files.pets(4))
    sets = [*data_sets.cut(honest, 12), *data_sets.spoilt(honest, 12)]
    assert None in [taken(tmp_path, named) for named in sets]
    count("pictures without labels", len(sets))


@pytest.mark.parametrize("make", [data_sets.names, data_sets.archives, data_sets.lying_heads])
def test_names_that_lead_elsewhere_and_files_that_lie_give_answers_or_one_sentence(make, tmp_path):
    sets = list(make())
    for named in sets:
        taken(tmp_path, named)
    assert not Path("/tmp/evil").exists()
    count("pictures without labels", len(sets))


def test_a_hostile_picture_among_good_ones_says_why_and_the_others_are_answered(tmp_path):
    bad = dict(data_sets.bad_pictures())
    named = {f"bad {i}.png": content for i, content in enumerate(bad.values())}
    batch = taken(tmp_path, {"a.zip": data_sets.archive(files.pets(4) | named)})
    assert batch is not None and len(batch.refused) > 10 and len(batch.names) >= len(files.pets(4))
    count("pictures without labels", len(bad))
