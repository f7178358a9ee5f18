"""Models as files for elsewhere: what onnxruntime and TFLite answer is what the model here answers."""

import functools
import io
import json
import threading
import zipfile
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product

import numpy as np
import pytest
from browser import filmed
from browser.firefox import NOT_FOUND as NO_FIREFOX
from browser.firefox import find_firefox, window
from PIL import Image

from tlcore import datasets, exports, heads, prediction, sources, teaching
from tlcore.errors import DataError
from tlcore.exports.portable import making, taught
from tlcore.exports.portable.exporters import LITE_HEADS, told
from tlcore.exports.portable.making import Made
from tlcore.inputs import digits, drawing
from tlcore.jobs import execution
from tlcore.prediction import collected
from tlcore.sentences import Sentence
from tlcore.spec import ByHand, DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store

pytestmark = pytest.mark.keras

FEW = DataSpec(per_class=6, seed=2)
BY_HAND = (ByHand("random_forest", "trees", 20), ByHand("logistic_regression", "pca", 8))
SPECS = {
    "network": FineTuneSpec(data=FEW, phases=(Phase(1, ("conv_1", "conv_2")),)),
    "heads": HeadSpec(
        data=FEW, heads=tuple(heads.HEADS), inputs=("features", "pixels"), seeds=(2,), curves=False, by_hand=BY_HAND
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("portable"))


@pytest.fixture(scope="module")
def runs(store):
    ids = {name: store.create(spec).id for name, spec in SPECS.items()}
    for id in ids.values():
        execution.execute(id, str(store.folder))
    return {name: store.get(id) for name, id in ids.items()}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Starting a process takes seconds; one test has one."""
    monkeypatch.setattr(making, "apart", lambda function, arguments, *_: function(*arguments))


def parts(run, store, form):
    return {part.suffix: part for part in exports.offers(run, store).get(form, ())}


def made(part):
    """Return a file's content, and what trying it gave."""
    assert part.make
    return part.make()


def items(target, n=60):
    return datasets.samples(target, n, seed=9)[0]


def in_onnxruntime(content: bytes, batch: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    [image] = session.get_inputs()
    assert (image.name, image.type, image.shape[1:]) == ("image", "tensor(uint8)", [*batch.shape[1:]])
    return session.run(["probabilities"], {"image": batch})[0]


@pytest.mark.parametrize(("head", "given"), product(heads.HEADS, ("features", "pixels")))
def test_every_head_answers_in_onnx_as_here_with_the_network_below_it(store, runs, head, given):
    run = runs["heads"]
    content, _said = made(parts(run, store, "onnx")[f"-{head}-{given}.onnx"])
    model = prediction.predictor(f"head:{run.id}/{head}-{given}.skops", store.folder)
    batch = items("mnist_5_9")
    assert np.abs(in_onnxruntime(content, batch) - model.predict_proba(batch)).max() < 1e-4


def test_a_network_answers_in_onnx_as_here_one_item_or_many(store, runs):
    run = runs["network"]
    content, said = made(parts(run, store, "onnx")["-model.onnx"])
    model, batch = prediction.predictor(f"run:{run.id}", store.folder), items("mnist_5_9")
    assert np.abs(in_onnxruntime(content, batch) - model.predict_proba(batch)).max() < 1e-4
    assert np.abs(in_onnxruntime(content, batch[:1]) - model.predict_proba(batch[:1])).max() < 1e-4
    assert "it answers as the model here does" in str(said)


@pytest.fixture(scope="module")
def onnx_of_photographs():
    from tlcore.exports.portable import onnx_file

    network, card = sources.load("mobilenet_v2", n_classes=10, seed=1), datasets.info("hands")
    pieces = prediction.Pieces(network, None, card.form, card.class_names)
    return onnx_file.convert(pieces, {}), pieces


def test_a_network_of_photographs_answers_in_onnx_as_here(onnx_of_photographs):
    content, pieces = onnx_of_photographs
    batch = items("hands")
    assert np.abs(in_onnxruntime(content, batch) - pieces.network.predict(batch, verbose=0)).max() < 1e-4


def test_an_onnx_file_says_what_it_is(store, runs):
    import onnx

    run = runs["network"]
    content = parts(run, store, "onnx")["-model.onnx"].read()
    card = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    assert json.loads(card["classes"]) == ["5", "6", "7", "8", "9"]
    assert card["run"] == run.id and card["seed"] == str(run.seed) and "30 labelled" in card["trained on"]
    assert card["sha256 of the model"] == run.result.files["model.keras"].sha256
    assert card["test accuracy"].startswith(f"{run.result.test.accuracy:.4f}, 95 % interval")
    assert "onnx 1." in card["made with"]


def in_tflite(content: bytes, batch: np.ndarray) -> np.ndarray:
    from tlcore.exports.portable import lite_file

    return lite_file.answer(content, batch)


@pytest.mark.parametrize("head", LITE_HEADS)
def test_a_head_of_dense_layers_answers_in_tflite_as_here(store, runs, head):
    run = runs["heads"]
    content, _said = made(parts(run, store, "tflite")[f"-{head}-features.tflite"])
    model, batch = prediction.predictor(f"head:{run.id}/{head}-features.skops", store.folder), items("mnist_5_9")
    assert np.abs(in_tflite(content, batch) - model.predict_proba(batch)).max() < 1e-4


def test_tflite_carries_labels_and_card_and_in_integers_is_a_quarter_as_large(store, runs):
    run = runs["network"]
    content, said = made(parts(run, store, "tflite")["-model.tflite"])
    with zipfile.ZipFile(io.BytesIO(content)) as behind:
        assert behind.read("labels.txt").decode().split() == ["5", "6", "7", "8", "9"]
        assert json.loads(behind.read("card.json"))["run"] == run.id
    small, told_small = made(parts(run, store, "tflite_int8")["-model-int8.tflite"])
    assert len(small) < 0.35 * len(content)
    assert "it answers as the model here does" in str(said) and "the model itself" in str(told_small)
    model, batch = prediction.predictor(f"run:{run.id}", store.folder), items("mnist_5_9", 200)
    same = in_tflite(small, batch).argmax(axis=1) == model.predict_proba(batch).argmax(axis=1)
    assert same.mean() > 0.95


def test_tflite_is_offered_for_what_it_can_hold_alone(store, runs):
    offered = {suffix.split("-")[1] for suffix in parts(runs["heads"], store, "tflite")}
    assert offered == set(LITE_HEADS)
    everything = {f"-{head}-{given}.onnx" for head, given in product(heads.HEADS, ("features", "pixels"))}
    assert set(parts(runs["heads"], store, "onnx")) == everything


def test_two_classes_are_two_probabilities():
    from tlcore.exports.portable import graphs

    x = np.random.default_rng(0).random((60, 5), np.float32)
    y = (x.sum(axis=1) > 2.5).astype(int)
    for name in LITE_HEADS:
        head, _seconds = heads.fit(name, x, y, None, seed=0)
        layers = graphs.dense_layers(head)
        assert layers
        assert np.abs(layers(x * np.float32(head.scale)).numpy() - head.predict_proba(x)).max() < 1e-5


def test_an_item_that_neighbours_were_trained_on_is_its_own_neighbour():
    from tlcore.exports.portable import graphs

    x = np.random.default_rng(0).random((60, 5), np.float32)
    head, _seconds = heads.fit("knn", x, np.arange(60) % 3, None, seed=0)
    near = graphs.neighbours(head)
    assert near
    assert np.abs(near(x).numpy() - head.predict_proba(x)).max() < 1e-6


def test_a_file_that_answers_otherwise_is_not_handed_out(store, runs, monkeypatch):
    from tlcore.exports.portable import onnx_file

    true = onnx_file.answer
    monkeypatch.setattr(onnx_file, "answer", lambda content, batch: np.roll(true(content, batch), 1, axis=1))
    with pytest.raises(DataError, match=r"does not answer as the model does: a probability differs by"):
        parts(runs["network"], store, "onnx")["-model.onnx"].read()


def test_what_trying_it_gave_is_told():
    small = Made(b"0" * 130_000, 500, 0.02, 0.93, 0.95, 3.0)
    assert str(told(small)).startswith("0.13 MB. On 500 test images it is right 93.0 % of the time, the model itself")
    assert str(told(small)).endswith("95.0 %: where that matters, take another form.")


@pytest.mark.slow
def test_a_file_is_made_in_a_process_of_its_own(store, runs, monkeypatch):
    from tlcore.machine.apart import apart

    monkeypatch.setattr(making, "apart", apart)
    content, _said = made(parts(runs["network"], store, "onnx")["-model.onnx"])
    assert content[:1] == b"\x08"  # the ir_version


def test_a_process_that_takes_too_long_is_one_sentence(store, runs, monkeypatch):
    def late(*_):
        raise TimeoutError

    monkeypatch.setattr(making, "apart", late)
    with pytest.raises(DataError, match="Making the file took more than 5 minutes"):
        made(parts(runs["network"], store, "onnx")["-model.onnx"])


# -- what was taught by a few examples ---------------------------------------------------------------------------------


@pytest.fixture
def shown(tmp_path):
    """Examples of three digits, and of a fourth class that has none."""
    kind = teaching.kind("image")
    examples, extract = teaching.Examples(tmp_path / "image", kind), collected.extractor(kind)
    ids = examples.begin([*teaching.ready_made.class_names("image"), "nothing yet"])
    for name, item in teaching.ready_made.items("image"):
        examples.add(ids[name], item, extract(item[None])[0])
    return examples


def test_what_was_taught_is_one_file_that_answers_as_teach_does(shown):
    made_by = {part.suffix: part for part in taught.of_examples(shown)}
    content, said = made(made_by[".onnx"])
    batch, names = items("mnist_5_9"), shown.names()
    answers = in_onnxruntime(content, batch)
    follower = collected.Follower(shown, collected.extractor(shown.kind))(batch)
    assert answers.shape[1] == len(names) - 1, "of a class without examples it knows nothing"
    assert np.abs(answers - follower[:, :-1]).max() < 1e-4 and not follower[:, -1].any()
    assert "On the 15 examples it learned from it answers as the model here does" in str(said)
    lite, _said = made(made_by[".tflite"])
    assert np.abs(in_tflite(lite, batch) - answers).max() < 1e-4
    small, said = made(made_by["-int8.tflite"])
    assert len(small) < len(lite) / 2 and (
        "the 15 examples it learned from it answers as the model here does" in str(said)
    )
    with zipfile.ZipFile(io.BytesIO(lite)) as behind:
        assert behind.read("labels.txt").decode().split("\n")[:3] == list(names[:3])


def test_what_tells_nothing_apart_gives_no_file(shown, tmp_path):
    assert taught.of_examples(teaching.Examples(tmp_path / "none", shown.kind)) == ()


# -- the web page ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def onnx_of_the_network(store, runs):
    from tlcore.exports.portable import onnx_file

    pieces = prediction.pieces(f"run:{runs['network'].id}", store.folder)
    return onnx_file.convert(pieces, {}), pieces


def test_a_page_whose_engine_is_damaged_is_not_made(onnx_of_the_network, tmp_path, monkeypatch):
    from tlcore.exports.portable import web_page

    onnx, pieces = onnx_of_the_network
    (tmp_path / "card.json").write_bytes((web_page.ENGINE / "card.json").read_bytes())
    monkeypatch.setattr(web_page, "ENGINE", tmp_path)
    with pytest.raises(DataError, match="that ships is missing or damaged"):
        web_page.convert(onnx, pieces, Sentence("A model"), {})


@pytest.mark.browser
def test_one_file_answers_offline_in_a_browser_as_here(store, runs, onnx_of_the_network, browser, tmp_path):
    from tlcore.exports.portable import web_page

    run, (onnx, pieces) = runs["network"], onnx_of_the_network
    content = web_page.convert(onnx, pieces, Sentence("</script> & co"), {"run": "<b>"})
    assert len(content) < 8e6
    (tmp_path / "model.html").write_bytes(content)
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url.split(":")[0]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "model.html").as_uri())
    page.locator("body[data-ready=yes]").wait_for(timeout=60_000)
    batch = items("mnist_5_9", 100)
    answers = np.array(page.evaluate("items => answerTo(items)", batch.ravel().tolist())).reshape(100, -1)
    ours = prediction.predictor(f"run:{run.id}", store.folder).predict_proba(batch)
    assert np.abs(answers - ours).max() < 1e-4
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.26 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    for x, y in ((0.74, 0.2), (0.46, 0.84)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
    page.mouse.up()
    page.locator("#bars .best").wait_for()
    strokes = [{"width": 0.085, "points": [[0.26, 0.2], [0.74, 0.2], [0.46, 0.84]]}]
    seen = digits.normalise(drawing.render(strokes), 28)
    item = np.array(page.evaluate("Array.from(lastItem)"), np.uint8).reshape(1, 28, 28, 1)
    assert np.abs(item[0, ..., 0] / 255 - seen).mean() < 0.05  # two ways to draw a line
    best = prediction.predictor(f"run:{run.id}", store.folder).predict_proba(item)[0].argmax()
    assert page.locator("#bars .best span").first.inner_text() == pieces.class_names[best]
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#language").click()
    assert page.locator("#about").inner_text().startswith("Made with Transfer Lab")
    assert page.locator("h1").inner_text() == "</script> & co"
    assert set(asked) <= {"file", "blob", "data"} and errors == []
    context.close()


@pytest.mark.browser
def test_a_page_of_photographs_answers_to_a_file_and_to_the_camera(
    onnx_of_photographs, browser, chromium_path, tmp_path
):
    from tlcore.exports.portable import web_page

    onnx, pieces = onnx_of_photographs
    content = web_page.convert(onnx, pieces, Sentence("Hands"), {})
    assert len(content) < 8e6
    (tmp_path / "hands.html").write_bytes(content)
    first, second = items("hands", 2)
    side = first.shape[0]
    Image.fromarray(first).save(tmp_path / "hand.png")

    def shown(page):
        return [float(text.split()[0]) / 100 for text in page.locator("#bars li span:last-child").all_inner_texts()]

    def here(item):
        return pieces.network.predict(item[None], verbose=0)[0]

    with (
        served(tmp_path) as site,
        filmed.playing(browser, chromium_path, filmed.film([second], tmp_path / "a.mjpeg")) as its,
    ):
        page = its.new_page(viewport={"width": 360, "height": 740}, locale="en-US")
        page.goto(f"{site}/hands.html")
        page.locator("body[data-ready=yes]").wait_for(timeout=60_000)
        page.locator("input[type=file]").set_input_files(tmp_path / "hand.png")
        page.locator("#bars .best").wait_for()
        assert (np.array(page.evaluate("Array.from(lastItem)"), np.uint8).reshape(first.shape) == first).all()
        assert np.abs(np.array(shown(page)) - here(first)).max() < 1e-3, "to a tenth of a per cent"
        page.get_by_role("button", name="Turn on the camera").click()
        page.wait_for_function("(first) => lastItem.some((value, i) => value !== first[i])", arg=first.ravel().tolist())
        page.get_by_role("button", name="Stop").click()
        seen = np.array(page.evaluate("Array.from(lastItem)"), np.uint8).reshape(side, side, 3)
        assert abs(seen[0].mean() - 90) < 25, "the grey above the photograph in the film"
        page.wait_for_timeout(300)  # the last answer
        assert np.abs(np.array(shown(page)) - here(seen)).max() < 1e-3
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Give the address of a web server of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


BAR = "document.querySelector('#bars .best span')?.textContent"
BOX = "(({x, y, width}) => [x, y, width])(document.querySelector('canvas').getBoundingClientRect())"


@pytest.mark.browser
def test_the_file_answers_in_firefox_as_here_from_its_folder_and_from_a_server(
    store, runs, onnx_of_the_network, tmp_path
):
    from tlcore.exports.portable import web_page

    path = find_firefox() or pytest.skip(NO_FIREFOX)
    onnx, pieces = onnx_of_the_network
    (tmp_path / "model.html").write_bytes(web_page.convert(onnx, pieces, Sentence("A model"), {}))
    here, batch = prediction.predictor(f"run:{runs['network'].id}", store.folder), items("mnist_5_9", 100)
    ours = here.predict_proba(batch)
    with served(tmp_path) as site, window(path, tmp_path / "profile") as tab:
        for address, width in (((tmp_path / "model.html").as_uri(), 1280), (f"{site}/model.html", 360)):
            tab.open(address, width, 740)
            answers = np.array(tab.value(f"answerTo({batch.ravel().tolist()})")).reshape(100, -1)
            assert np.abs(answers - ours).max() < 1e-4 and (answers.argmax(axis=1) == ours.argmax(axis=1)).all()
            x, y, side = tab.value(BOX)
            tab.draw([(round(x + a * side), round(y + b * side)) for a, b in ((0.26, 0.2), (0.74, 0.2), (0.46, 0.84))])
            name = tab.value(
                f"new Promise((tell) => {{ const look = () => {BAR} ? tell({BAR}) : setTimeout(look, 20); look(); }})"
            )
            drawn = np.array(tab.value("Array.from(lastItem)"), np.uint8).reshape(1, 28, 28, 1)
            assert name == pieces.class_names[here.predict_proba(drawn)[0].argmax()]
            assert tab.value("document.documentElement.scrollWidth") <= width
        asked = [url for url in tab.asked if not url.startswith(("data:", "blob:", "file:"))]
        assert asked == [f"{site}/model.html"] and tab.errors == []
