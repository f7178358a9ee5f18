"""What hostile programs send: forms and JSON that are broken anywhere, and picture files that ask for much."""

import json

import numpy as np
import pytest
from hostile import pictures
from hostile.asked import is_one_sentence
from hostile.tried import count
from test_predict_route import PIXELS, ask, form, lab, png  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")


def told(lab, content, kind):  # noqa: F811
    """Send it; return the status of a refusal in one sentence, or 200."""
    status, answer, _ = ask(lab, content, content_type=kind)
    assert status in (200, 400, 413), (status, answer)
    assert status == 200 or (set(answer) == {"error"} and is_one_sentence(answer["error"]))
    return status


def test_a_form_that_is_cut_off_or_changed_anywhere_is_read_or_refused(lab):  # noqa: F811
    whole, kind = form(model="source:digits", picture=png())
    rng = np.random.default_rng(0)
    bodies = [whole[:n] for n in range(0, len(whole), 31)]
    for _ in range(60):
        body = bytearray(whole)
        for at in rng.integers(0, min(len(body), 300), 3):
            body[at] = rng.integers(256)
        bodies.append(bytes(body))
    bodies += [
        b"--xyz\r\n" * 5000,
        b"--xyz\r\n" + b"a: b\r\n" * 5000,
        b"\r\n" * 5000,
        whole.replace(b"picture", b"p" * 5000),
    ]
    statuses = {told(lab, body, kind) for body in bodies}
    count("form of a program", len(bodies))
    assert statuses == {200, 400}
    for kind in (
        "multipart/form-data; boundary=" + "x" * 5000,
        "multipart/form-data; boundary=",
        "multipart/form-data;;;=",
    ):
        assert told(lab, whole, kind) == 400


def test_json_that_is_no_picture_is_refused(lab):  # noqa: F811
    odd = [
        None,
        0,
        "",
        "x" * 10_000,
        {},
        [],
        [[]],
        [None] * 28,
        [[{}] * 28] * 28,
        [[1e308] * 28] * 28,
        [[-1] * 28] * 28,
    ]
    odd += [[PIXELS], PIXELS[:-1], [row + [0] for row in PIXELS], [["0"] * 28] * 28, [[float("inf")] * 28] * 28]
    bodies = [json.dumps({"pixels": each}).encode() for each in odd]
    bodies += [b"\xff\xfe", b"\x00", b"null", b"[]", b"7", b'{"pixels": ' + b"[" * 50_000, b'{"pixels": 1e999999}']
    assert {told(lab, body, "application/json") for body in bodies} == {400}
    count("JSON of a program", len(bodies))


@pytest.mark.parametrize("kind", ["image/png", "text/html", "a" * 2000])
def test_a_file_that_is_no_picture_is_refused_whatever_it_is_called(lab, kind):  # noqa: F811
    found = dict(pictures.foreign())
    assert [name for name, content in found.items() if told(lab, content, kind) == 200] == []
    assert lab.serving.items == []
    count("picture of a program", len(found))
