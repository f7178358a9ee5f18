"""A run again with this project: the calls that its worker makes, without store and pages."""

from dataclasses import fields, is_dataclass, replace

from tlcore.spec import ComparisonSpec, HeadSpec, Spec, SweepSpec
from tlcore.store import Run

from .cells import Cell, code, written
from .words import balanced, measured, title


def cells(run: Run) -> tuple[Cell, ...]:
    """Return what trains a run again, as text and code."""
    spec = _whole(run.spec)
    steps = _steps(spec, balanced(run))
    names = ", ".join(sorted({*_names(spec)}))
    asked = Cell(f"from tlcore.spec import {names}\n\nspec = {written(spec)}", is_code=True)
    where = (
        "It needs Transfer Lab: run it in the folder of the project, or install that first. Networks and data of "
        "one's own are looked for in the lab's data folder, which TRANSFER_LAB_HOME names."
    )
    return (
        Cell(f"{title(run)}\n\nMade by Transfer Lab, run {run.id}: the same steps with its own functions. {where}"),
        Cell("What the run was asked, with the seed that decides the images and their order."),
        asked,
        *steps,
        *measured(run),
    )


def _whole(spec: Spec) -> Spec:
    """Return a spec without what only this lab can take over, and without an end before all is done."""
    return replace(spec, resumes="", budget_s=None) if isinstance(spec, SweepSpec) else spec


def _steps(spec: Spec, balanced: bool) -> tuple[Cell, ...]:
    if isinstance(spec, HeadSpec):
        return _heads(spec)
    if isinstance(spec, ComparisonSpec):
        return _comparison(balanced)
    return _sweep() if isinstance(spec, SweepSpec) else _tuning()


def _names(value: object) -> list[str]:
    """Return the dataclasses that a spec is written with."""
    if isinstance(value, tuple):
        return [name for each in value for name in _names(each)]
    if not is_dataclass(value) or isinstance(value, type):
        return []
    kept = [getattr(value, each.name) for each in fields(value) if getattr(value, each.name) != each.default]
    return [type(value).__name__, *(name for each in kept for name in _names(each))]


_LOAD = "data = datasets.load(spec.data)\nprint(len(data.x_train), 'training images of', ', '.join(data.class_names))"


def _tuning() -> tuple[Cell, ...]:
    return (
        Cell(
            "The images: training, validation and test. The source network comes with a fresh last layer for the "
            "new classes."
        ),
        Cell(
            "from tlcore import datasets, features, sources, training\n"
            "from tlcore.evaluation import evaluate\n"
            "from tlcore.spec import Hooks\n\n"
            f"{_LOAD}\n"
            "model = sources.load(\n"
            "    spec.source, n_classes=len(data.class_names), seed=spec.seed, scale=spec.data.scale\n"
            ")",
            is_code=True,
        ),
        Cell(
            "Train what is not frozen, phase by phase. What the frozen layers make of an image never changes, so fit "
            "computes it once. The proof compares the weights of every layer before and after."
        ),
        Cell(
            "def show(point):\n"
            '    if point.part == "validation":\n'
            '        print(f"epoch {point.x:g}: validation accuracy {point.accuracy:.4f}")\n\n\n'
            "fitted = training.fit(model, data, spec, Hooks(on_metric=show))\n"
            "for row in fitted.proof:\n"
            "    print(row)",
            is_code=True,
        ),
        Cell("Test it on images that it never saw."),
        Cell(
            "answers = features.activations(model, data.x_test)\n"
            "test = evaluate(data.y_test, answers.argmax(axis=1), len(data.class_names), answers)\n"
            "accuracy = test.accuracy\n"
            'print(f"Test accuracy {accuracy:.4f}, 95 % interval {test.low:.4f} to {test.high:.4f}")',
            is_code=True,
        ),
    )


def _heads(spec: HeadSpec) -> tuple[Cell, ...]:
    choose = (
        "            validation_set = (x[1], data.y_validation)\n"
        "            params, tried = tuning.choose(\n"
        "                head, x[0], data.y_train, validation_set, seed, fixed=params\n"
        "            )\n"
        if spec.tune
        else ""
    )
    tuning = "from tlcore.heads import tuning\n" if spec.tune else ""
    return (
        Cell("The source network as it is: its layers turn an image into features, and none of them is trained."),
        Cell(
            "from dataclasses import replace\n\n"
            "from tlcore import datasets, features, heads, sources\n"
            f"{tuning}"
            "from tlcore.spec import PIXELS\n\n"
            "model = sources.load(spec.source, seed=spec.seed, scale=spec.data.scale)",
            is_code=True,
        ),
        Cell("What was set of a head by hand, by scikit-learn's names."),
        Cell(
            "def settings(head):\n"
            "    params = heads.info(head).params(heads.values_of(head, spec.by_hand))\n"
            "    if spec.class_weight and heads.info(head).weighs:\n"
            "        params[heads.info(head).weighs] = spec.class_weight\n"
            "    return params",
            is_code=True,
        ),
        Cell(
            "Every head on every input, once for each seed. A seed picks the training images and drives the head's "
            "own randomness."
        ),
        Cell(
            "accuracies = {}\n"
            "for seed in spec.seeds:\n"
            "    data = datasets.load(replace(spec.data, seed=seed))\n"
            "    for name in spec.inputs:\n"
            '        layer = spec.layer if name == "features" else PIXELS\n'
            "        x = [\n"
            "            features.extract(model, images, layer, data.form)\n"
            "            for images in (data.x_train, data.x_validation, data.x_test)\n"
            "        ]\n"
            "        for head in spec.heads:\n"
            "            params = settings(head)\n"
            f"{choose}"
            "            fitted, seconds = heads.fit(head, x[0], data.y_train, None, seed=seed, params=params)\n"
            "            accuracy = float((fitted.predict(x[2]) == data.y_test).mean())\n"
            "            accuracies[head, name, seed] = accuracy\n"
            '            print(f"{head} on {name}, seed {seed}: test accuracy {accuracy:.4f}")',
            is_code=True,
        ),
    )


def _comparison(balanced: bool) -> tuple[Cell, ...]:
    score = "balanced_accuracy_score(data.y_test, answers)" if balanced else "(answers == data.y_test).mean()"
    what = "balanced test accuracy" if balanced else "test accuracy"
    scorer = "from sklearn.metrics import balanced_accuracy_score\n\n" if balanced else ""
    return (
        Cell("Every way learns from the same images with the same seed, and is tested on the same test images."),
        code(
            f"{scorer}"
            "from tlcore import datasets, features, heads, sources, training\n"
            "from tlcore.recipes import comparison\n\n"
            "data = datasets.load(spec.tuning.data)\n"
            "print(len(data.x_train), 'training images of', ', '.join(data.class_names))"
        ),
        Cell("A network is trained further, or from scratch."),
        code(
            "def train(way):\n"
            "    model = sources.load(\n"
            "        way.source, n_classes=len(data.class_names), seed=way.seed, scale=way.data.scale\n"
            "    )\n"
            "    training.fit(model, data, way)\n"
            "    return features.activations(model, data.x_test).argmax(axis=1)"
        ),
        Cell("A head is fitted on what the frozen source network makes of an image."),
        code(
            "def fit(way):\n"
            "    model = sources.load(way.source, seed=way.seed, scale=way.data.scale)\n"
            "    x, x_test = (\n"
            "        features.extract(model, images, way.layer, data.form)\n"
            "        for images in (data.x_train, data.x_test)\n"
            "    )\n"
            "    (head,) = way.heads\n"
            "    weighs = heads.info(head).weighs if way.class_weight else None\n"
            "    params = heads.info(head).params({}) | ({weighs: way.class_weight} if weighs else {})\n"
            "    fitted, seconds = heads.fit(head, x, data.y_train, None, seed=way.seed, params=params)\n"
            "    return fitted.predict(x_test)"
        ),
        Cell("Way after way."),
        code(
            "accuracies = {}\n"
            "for name, way in comparison.lanes(spec).items():\n"
            '    answers = fit(way) if way.kind == "heads" else train(way)\n'
            f"    accuracies[name] = float({score})\n"
            f'    print(f"{{name}}: {what} {{accuracies[name]:.4f}}")'
        ),
    )


def _sweep() -> tuple[Cell, ...]:
    return (
        Cell("Every experiment of the grid; features of an image are computed once for all of them."),
        code(
            "from tlcore.evidence import sweeps\n"
            "from tlcore.spec import Hooks\n\n\n"
            "def show(cell):\n"
            "    accuracies[cell.source, cell.cut, cell.method, cell.per_class, cell.seed] = cell.score\n"
            "    print(*cell.key[1:], cell.error or cell.score)\n\n\n"
            "accuracies = {}\n"
            "sweeps.run(spec, Hooks(on_cell=show))\n"
            'print("Test accuracy of", len(accuracies), "experiments")'
        ),
    )
