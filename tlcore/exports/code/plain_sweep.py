"""A sweep again in plain Keras and scikit-learn: every experiment of the grid, in loops."""

from tlcore import sources
from tlcore.evidence import sweeps
from tlcore.evidence.method import method_of, tuning_of
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FINE_TUNE, PIXELS, SCRATCH, SweepResult, SweepSpec
from tlcore.spec import Cell as Experiment
from tlcore.store import Run

from .cells import Cell, code, written
from .estimators import TO_MEAN_LENGTH, WRITTEN
from .plain_heads import PIXELS_CODE, imports_of
from .words import measured, title

NETWORKS = (FINE_TUNE, SCRATCH)
BATCH = 16

FEATURES = '''def features(network, layer, images):
    """Return what the network makes of images up to a layer; nothing of it is trained."""
    backbone = keras.Model(network.inputs, network.get_layer(layer).output)
    return backbone.predict(images, batch_size=256, verbose=0).reshape(len(images), -1)'''

TRAIN = f'''BATCH_SIZE = {BATCH}


def train(network, frozen, x, y, epochs, seed):
    """Train what is not frozen; the order of the images follows from the seed."""
    keras.utils.set_random_seed(seed)
    for layer in network.layers:
        layer.trainable = layer.name not in frozen
    # After trainable was set: what a model trains is fixed when it is compiled.
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    def batches():
        epoch = 0
        while True:
            order = np.random.default_rng((seed, epoch)).permutation(len(x))
            for first in range(0, len(order), BATCH_SIZE):
                rows = order[first : first + BATCH_SIZE]
                yield x[rows], y[rows]
            epoch += 1

    network.fit(batches(), steps_per_epoch=-(-len(x) // BATCH_SIZE), epochs=epochs, verbose=0)
    return network.predict(x_test, batch_size=512, verbose=0).argmax(axis=1)


def with_new_head(network, seed):
    """Return the network with random weights in place of its last layer, which named the old classes."""
    last = network.layers[-1]
    head = keras.layers.Dense(
        len(class_names),
        activation="softmax",
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        name=last.name,
    )
    return keras.Model(network.inputs, head(last.input))'''


def not_had(spec: SweepSpec) -> Sentence:
    """Return why a sweep cannot be written in plain code; NOTHING where it can."""
    for name in spec.methods:
        if method_of(name).is_score:
            return Sentence(
                "{method} is a score of this program's own, so it is not written in plain code.", method=name
            )
        if name not in WRITTEN and name not in NETWORKS:
            return Sentence("{head} comes from an extension, so it is not written in plain code.", head=name)
    if set(spec.methods) & set(NETWORKS) and any(len(each.phases) > 1 for each in _tunings(spec)):
        return Sentence("A sweep trains networks of photographs in two phases. Show the code of one such run instead.")
    return NOTHING


def networks(spec: SweepSpec) -> dict[str, tuple[str, int, bool]]:
    """Return the networks that the script loads, by file: source, seed, and whether with a fresh head for the task."""
    found = {f"{each.source}.keras": (each.source, spec.seed, False) for each in _features(spec) if each.cut != PIXELS}
    for each in _networks(spec):
        answers = sources.info(each.source).answers
        file = _file(each, answers)
        found[file] = (each.source, spec.seed if answers else each.seed, not answers)
    return found


def cells(run: Run) -> tuple[Cell, ...]:
    """Return what measures a sweep's grid again without this project, as text and code."""
    spec = run.spec
    assert isinstance(spec, SweepSpec)
    named = ", ".join([*networks(spec), "data.npz"])
    balanced = isinstance(run.result, SweepResult) and run.result.lopsided
    return (
        Cell(
            f"{title(run)}\n\nPlain Keras and scikit-learn: nothing of Transfer Lab is needed. In the folder in which "
            f"it runs it looks for {named}; the ZIP file in which it comes has them. It needs keras, tensorflow, "
            f"scikit-learn and numpy. Made from run {run.id}."
        ),
        *_data(spec, balanced),
        *(_heads(spec) if _features(spec) else ()),
        *(_trainings(spec) if _networks(spec) else ()),
        Cell("Every experiment: source, cut, method, labels per class, seed."),
        code('for key, accuracy in accuracies.items():\n    print(*key, f"test accuracy {accuracy:.4f}")'),
        *measured(run),
    )


def _features(spec: SweepSpec) -> list[Experiment]:
    return [each for each in sweeps.plan(spec) if each.method not in NETWORKS]


def _networks(spec: SweepSpec) -> list[Experiment]:
    return [each for each in sweeps.plan(spec) if each.method in NETWORKS]


def _tunings(spec: SweepSpec) -> list:
    return [tuning_of(each, spec, each.per_class * 2) for each in _networks(spec)[:1]]


def _file(each: Experiment, answers: bool) -> str:
    return f"{each.source}.keras" if answers else f"{each.source}_{each.seed}.keras"


def _data(spec: SweepSpec, balanced: bool) -> tuple[Cell, ...]:
    score = (
        "def score(answers):\n"
        '    """Return the mean of the classes\' recalls: the test classes are lopsided."""\n'
        "    return float(balanced_accuracy_score(y_test, answers))"
        if balanced
        else "def score(answers):\n    return float((answers == y_test).mean())"
    )
    imports = imports_of(dict.fromkeys(each.method for each in _features(spec)))
    imports += "\nfrom sklearn.metrics import balanced_accuracy_score" if balanced else ""
    return (
        Cell(
            "## 1. The images\n\nA seed picks the training images of each class; the smaller sets are part of the "
            "larger. The test images are the same for all, and nothing learns from them."
        ),
        code(
            f"import keras\nimport numpy as np\n{imports}\n\n"
            'data = np.load("data.npz")\n'
            'x_test, y_test = data["x_test"], data["y_test"]\n'
            'class_names = [str(name) for name in data["class_names"]]\n'
            f"LABELS, SEEDS = {written(tuple(sorted(spec.per_class)))}, {written(spec.seeds)}\n"
            "accuracies = {}\n\n\n"
            "def drawn(n, seed):\n"
            '    """Return the training images of a seed, n of each class, and their labels."""\n'
            '    return data[f"x_{n}_{seed}"], data[f"y_{n}_{seed}"]\n\n\n'
            f"{score}"
        ),
    )


def _heads(spec: SweepSpec) -> tuple[Cell, ...]:
    methods = dict.fromkeys(each.method for each in _features(spec))
    places = dict.fromkeys((each.source, each.cut) for each in _features(spec))
    layers = [place for place in places if place[1] != PIXELS]
    rows = [
        Cell(
            "## 2. Heads\n\nA head is a classifier on what a frozen network makes of an image, up to a layer (the cut)."
        ),
        *([code(TO_MEAN_LENGTH)] if any(WRITTEN[name].scales for name in methods) else []),
        *(cell for name in methods for cell in (Cell(WRITTEN[name].words), code(WRITTEN[name].code))),
        code(
            "def measure(source, cut, look):\n"
            "    rows_test = look(x_test)\n"
            "    for n in LABELS:\n"
            "        for seed in SEEDS:\n"
            "            images, y = drawn(n, seed)\n"
            "            x = look(images)\n"
            f"{_centred(spec)}"
            f"            for head in [{', '.join(methods)}]:\n"
            f"                answers = head(x, y, seed).predict(rows_test{' - mean' if _centred(spec) else ''})\n"
            "                accuracies[source, cut, head.__name__, n, seed] = score(answers)"
        ),
    ]
    if layers:
        rows += [
            code(FEATURES),
            code(
                f"for source, cut in {written(tuple(layers))}:\n"
                '    network = keras.models.load_model(f"{source}.keras")\n'
                "    measure(source, cut, lambda images: features(network, cut, images))"
            ),
        ]
    if len(layers) < len(places):
        (source,) = {source for source, cut in places if cut == PIXELS}
        rows += [
            Cell("The control: the pixels themselves, which no network has looked at."),
            code(PIXELS_CODE),
            code(f"measure({source!r}, {PIXELS!r}, pixels)"),
        ]
    return tuple(rows)


def _centred(spec: SweepSpec) -> str:
    """Return the lines that take the mean off raw photographs, whose length is mostly in common."""
    from tlcore import datasets, inputs

    if inputs.modality(datasets.info(spec.target).form.modality).placed:
        return ""
    return f"            mean = x.mean(axis=0) if cut == {PIXELS!r} else 0\n            x = x - mean\n"


def _trainings(spec: SweepSpec) -> tuple[Cell, ...]:
    experiments = _networks(spec)
    n_classes = {each.per_class: tuning_of(each, spec, each.per_class * _n_classes(spec)) for each in experiments}
    epochs = {n: tuning.epochs for n, tuning in n_classes.items()}
    grid = {
        (each.source, each.cut, each.method): tuning_of(each, spec, each.per_class).phases[0].frozen
        for each in experiments
    }
    loops = []
    for (source, cut, method), frozen in grid.items():
        loaded = (
            f'with_new_head(keras.models.load_model("{source}.keras"), seed)'
            if sources.info(source).answers
            else f'keras.models.load_model(f"{source}_{{seed}}.keras")'
        )
        loops.append(
            f"        network = {loaded}\n"
            f"        answers = train(network, {written(frozen)}, x, y, EPOCHS[n], seed)\n"
            f"        accuracies[{source!r}, {cut!r}, {method!r}, n, seed] = score(answers)"
        )
    return (
        Cell(
            "## 3. Networks\n\nWhat comes after the cut is trained, with a new head; from scratch, everything is. Few "
            "images make few steps in an epoch, so there are more epochs."
        ),
        code(TRAIN),
        code(
            f"EPOCHS = {written(epochs)}\n\n"
            "for n in LABELS:\n    for seed in SEEDS:\n        x, y = drawn(n, seed)\n" + "\n".join(loops)
        ),
    )


def _n_classes(spec: SweepSpec) -> int:
    from tlcore import datasets

    return len(datasets.info(spec.target).class_names)
