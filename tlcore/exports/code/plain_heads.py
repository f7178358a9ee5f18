"""A comparison of heads again in plain Keras and scikit-learn, with the words of one who teaches it."""

from collections.abc import Iterable, Mapping
from typing import Any

from tlcore import heads
from tlcore.heads.knobs import PCA
from tlcore.spec import HeadSpec, HeadsResult
from tlcore.store import Run

from .cells import Cell, written
from .estimators import TO_MEAN_LENGTH, WRITTEN
from .words import measured, title

PIXELS_CODE = """def pixels(images):
    rows = images.reshape(len(images), -1)
    whole = rows.dtype.kind != "f"  # numbers as stored, 0 to 255
    return rows / np.float32(np.iinfo(rows.dtype).max) if whole else rows.astype(np.float32)"""
RBF_PCA = "pca__n_components"
Settings = dict[tuple[str, str, int], dict[str, Any]]  # head, input, seed -> by scikit-learn's names


def cells(run: Run) -> tuple[Cell, ...]:
    """Return what fits the heads of a run again without this project, as text and code."""
    spec = run.spec
    assert isinstance(spec, HeadSpec)
    network = "source.keras, the network that is taken over, and " if "features" in spec.inputs else ""
    files = f"{network}data.npz, the images"
    return (
        Cell(
            f"{title(run)}\n\nPlain Keras and scikit-learn: nothing of Transfer Lab is needed. In the folder in "
            f"which it runs it looks for {files}; the ZIP file in which it comes has them. It needs keras, tensorflow, "
            f"scikit-learn and numpy. Made from run {run.id}."
        ),
        *loading(spec),
        *looks(spec),
        *definitions(spec),
        *_fits(run, spec),
        *measured(run),
    )


def imports_of(heads: Iterable[str]) -> str:
    """Return the lines that heads import, sorted."""
    lines = {line for head in heads for line in WRITTEN[head].imports}
    return "\n".join(sorted(lines))


def loading(spec: HeadSpec) -> tuple[Cell, ...]:
    """Return how the images are loaded, and what the heads need to be imported."""
    return (
        Cell(
            "## 1. The images\n\nA seed picks the training images. The test images are the same for all, and nothing "
            "learns from them."
        ),
        Cell(
            "import keras\nimport numpy as np\n"
            f"{imports_of(spec.heads)}\n\n"
            'data = np.load("data.npz")\n'
            f"SEEDS = {written(spec.seeds)}\n"
            'x_test, y_test = data["x_test"], data["y_test"]\n'
            'print("classes:", ", ".join(map(str, data["class_names"])))',
            is_code=True,
        ),
    )


def looks(spec: HeadSpec) -> tuple[Cell, ...]:
    """Return what a head sees of an image: functions ``features`` and ``pixels``."""
    rows = []
    if "features" in spec.inputs:
        rows += [
            Cell(
                f"## 2. What a head sees: features\n\nThe source network up to its layer {spec.layer}. All of it is "
                "frozen: it only turns an image into a row of numbers, which tell more of shapes than pixels do. "
                "Numbers are scaled by the network's own first layer."
            ),
            Cell(
                'source = keras.models.load_model("source.keras")\n'
                f"backbone = keras.Model(source.inputs, source.get_layer({spec.layer!r}).output)\n\n\n"
                "def features(images):\n"
                "    return backbone.predict(images, batch_size=256, verbose=0).reshape(len(images), -1)",
                is_code=True,
            ),
        ]
    if "pixels" in spec.inputs:
        rows += [
            Cell("The control: the pixels themselves, which no network has looked at."),
            Cell(PIXELS_CODE, is_code=True),
        ]
    return tuple(rows)


def definitions(spec: HeadSpec) -> tuple[Cell, ...]:
    """Return the functions that fit the heads."""
    scaling = any(WRITTEN[head].scales for head in spec.heads)
    first = "## 3. The heads\n\nA head is a classifier on these rows. It has few weights and is fitted in a moment."
    text = "SVMs and dense layers want numbers of moderate size." if scaling else ""
    rows = [Cell(f"{first} {text}".strip())]
    rows += [Cell(TO_MEAN_LENGTH, is_code=True)] if scaling else []
    for head in spec.heads:
        rows += [Cell(WRITTEN[head].words), Cell(WRITTEN[head].code, is_code=True)]
    return tuple(rows)


def _fits(run: Run, spec: HeadSpec) -> tuple[Cell, ...]:
    settings = _settings(run, spec)
    reduced = any(PCA in params for params in settings.values())
    how = " They were chosen on validation images, which the head did not learn from." if spec.tune else ""
    rows = [Cell("## 4. Fit and test\n\nEvery head on every input, once for each seed.")]
    if settings:
        rows.append(Cell(f"Settings other than those above, by head, input and seed.{how}"))
    fit = (
        '            if n := settings.pop("pca", 0):  # the strongest directions of the features alone\n'
        "                pca = PCA(n, random_state=seed).fit(x)\n"
        "                fitted = make_pipeline(pca, head(pca.transform(x), y, seed, **settings))\n"
        "            else:\n"
        "                fitted = head(x, y, seed, **settings)\n"
        if reduced
        else "            fitted = head(x, y, seed, **settings)\n"
        if settings
        else "            fitted = head(x, y, seed)\n"
    )
    extra = "from sklearn.decomposition import PCA\nfrom sklearn.pipeline import make_pipeline\n\n" if reduced else ""
    chosen = f"SETTINGS = {written(settings)}\n\n" if settings else ""
    taken = "            settings = dict(SETTINGS.get((head.__name__, look.__name__, seed), {}))\n" if settings else ""
    code = (
        f"{extra}{chosen}"
        "accuracies = {}\n"
        f"for look in [{', '.join(spec.inputs)}]:\n"
        "    rows_test = look(x_test)\n"
        "    for seed in SEEDS:\n"
        '        x, y = look(data[f"x_train_{seed}"]), data[f"y_train_{seed}"]\n'
        f"        for head in [{', '.join(spec.heads)}]:\n"
        f"{taken}"
        f"{fit}"
        "            accuracy = float((fitted.predict(rows_test) == y_test).mean())\n"
        "            accuracies[head.__name__, look.__name__, seed] = accuracy\n"
        '            print(f"{head.__name__} on {look.__name__}, seed {seed}: test accuracy {accuracy:.4f}")'
    )
    return (*rows, Cell(code, is_code=True))


def _settings(run: Run, spec: HeadSpec) -> Settings:
    """Return what each fit used in place of its head's own settings; of one that was not made, what was set by hand."""
    result = run.result
    assert isinstance(result, HeadsResult)
    rows = {(row.head, row.input, row.seed): row for row in result.rows}
    found: Settings = {}
    for seed in spec.seeds:
        for name in spec.inputs:
            for head in spec.heads:
                row = rows.get((head, name, seed))
                params = row.params if row else _by_hand(spec, head)
                most = min(result.n_trained - 1, row.n_features) if row else None
                if kept := _kept(params, most):
                    found[head, name, seed] = kept
    return found


def _by_hand(spec: HeadSpec, head: str) -> dict[str, Any]:
    known = heads.info(head)
    params = known.params(heads.values_of(head, spec.by_hand))
    return params | ({known.weighs: spec.class_weight} if spec.class_weight and known.weighs else {})


def _kept(params: Mapping[str, Any], most: int | None) -> dict[str, Any]:
    """Return settings as scikit-learn takes them: no more directions than images, no gamma that is the head's own."""
    kept = dict(params)
    if kept.get("svc__gamma") == "scale":
        del kept["svc__gamma"]
    if kept.get(PCA, 0) is None:
        del kept[PCA]
    for name in (PCA, RBF_PCA):
        if isinstance(kept.get(name), int) and most:
            kept[name] = max(1, min(kept[name], most))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}


def one_fit(spec: HeadSpec, way: str, balanced: bool = False) -> tuple[Cell, ...]:
    """Return how the one head of a comparison's way is fitted on features, and tested."""
    (head,) = spec.heads
    answers = "fitted.predict(features(x_test))"
    score = f"balanced_accuracy_score(y_test, {answers})" if balanced else f"({answers} == y_test).mean()"
    what = "Balanced test accuracy" if balanced else "Test accuracy"
    settings = "".join(f", {name}={written(value)}" for name, value in _kept(_by_hand(spec, head), None).items())
    return (
        Cell("Only the head learns: the network below it stays as it is."),
        Cell(
            f"fitted = {head}(features(x_train), y_train, SEED{settings})\n"
            f"accuracies[{way!r}] = float({score})\n"
            f'print(f"{what} {{accuracies[{way!r}]:.4f}}")',
            is_code=True,
        ),
    )
