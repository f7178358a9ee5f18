"""A fine-tuning again in plain Keras, with the words of one who teaches it."""

from tlcore import sources
from tlcore.spec import FineTuneSpec, Phase
from tlcore.store import Run
from tlcore.training.schedules import START, WARM_UP

from .cells import Cell, written
from .words import measured, title

NETWORK = "source.keras"  # the file
MOST_NAMED = 6  # frozen layers
OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}  # Keras' classes

TRAIN = '''BATCH_SIZE = @BATCH@
STEPS = -(-len(x_train) // BATCH_SIZE)  # batches in an epoch

@WEIGHTS@
def batches(epoch):
    """Yield batches without end: in each epoch every image once."""
    while True:
        order = np.random.default_rng((SEED, epoch)).permutation(len(x_train))
        for first in range(0, len(order), BATCH_SIZE):
            rows = order[first : first + BATCH_SIZE]
            yield x_train[rows], y_train[rows]@WEIGHED@
        epoch += 1


def train(frozen, epochs, learning_rate, first_epoch=0, callbacks=()):
    """Train for some epochs what is not frozen."""
    for layer in model.layers:
        layer.trainable = layer.name not in frozen
    # After trainable was set: what a model trains is fixed when it is compiled.
    model.compile(
        optimizer=keras.optimizers.@OPTIMIZER@(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.fit(
        batches(first_epoch),
        steps_per_epoch=STEPS,
        epochs=epochs,
        validation_data=(x_validation, y_validation) if len(x_validation) else None,
        callbacks=list(callbacks),
        verbose=2,
    )
    for layer in model.layers:
        same = all(map(np.array_equal, before[layer.name], layer.get_weights()))
        assert same or layer.name not in frozen, layer.name  # frozen means: not a single weight moved'''
WEIGHTS = """# Each class counts alike in the loss, however few images it has.
counts = np.bincount(y_train, minlength=len(class_names))
weights = len(y_train) / ((counts > 0).sum() * np.maximum(counts, 1))
"""


def cells(run: Run) -> tuple[Cell, ...]:
    """Return what trains a run again without this project, as text and code."""
    spec = run.spec
    assert isinstance(spec, FineTuneSpec)
    return (
        Cell(
            f"{title(run)}\n\nPlain Keras: nothing of Transfer Lab is needed. In the folder in which it runs it "
            "looks for source.keras, the network that is taken over, and data.npz, the images; the ZIP file in which "
            f"it comes has them. It needs keras, tensorflow and numpy. Made from run {run.id}."
        ),
        *data(spec),
        *network(spec),
        *training(spec),
        *(cell for number in range(1, len(spec.phases) + 1) for cell in phase(spec, number)),
        *test(),
        *measured(run),
    )


def data(spec: FineTuneSpec) -> tuple[Cell, ...]:
    """Return how the images are loaded."""
    size = (
        "every labelled image" if spec.data.per_class is None else f"{spec.data.per_class} labelled images of a class"
    )
    return (
        Cell(
            f"## 1. The images\n\nLittle data is where transfer helps: {size} to train on. The validation images tell "
            "how training goes; the test images are looked at once, at the end."
        ),
        Cell(
            "import keras\nimport numpy as np\n\n"
            f"SEED = {spec.seed}\n"
            "keras.utils.set_random_seed(SEED)  # dropout and the like\n\n"
            'data = np.load("data.npz")\n'
            'x_train, y_train = data["x_train"], data["y_train"]\n'
            'x_validation, y_validation = data["x_validation"], data["y_validation"]\n'
            'x_test, y_test = data["x_test"], data["y_test"]\n'
            'class_names = [str(name) for name in data["class_names"]]\n'
            'print(len(x_train), "training images of", ", ".join(class_names))',
            is_code=True,
        ),
    )


def network(spec: FineTuneSpec, file: str = NETWORK) -> tuple[Cell, ...]:
    """Return how the network is loaded, with a new head where it has one that names other classes."""
    load = f'source = keras.models.load_model("{file}")\n'
    if not sources.info(spec.source).answers:
        return (
            Cell(
                "## 2. The network\n\nIts last layer, the head, has one unit for each class of the new task and random "
                "weights. Numbers are scaled by the network's own first layer."
            ),
            Cell(f"{load}model = source\nmodel.summary()", is_code=True),
        )
    return (
        Cell(
            "## 2. The source network, with a new head\n\nIts first layers learned edges, strokes and shapes on "
            "another task, and are useful here too. Only its last layer, the head, named the old classes: a new one "
            "with random weights takes its place. Numbers are scaled by the network's own first layer."
        ),
        Cell(
            f"{load}"
            "last = source.layers[-1]\n"
            "head = keras.layers.Dense(\n"
            "    len(class_names),\n"
            '    activation="softmax",\n'
            "    kernel_initializer=keras.initializers.GlorotUniform(seed=SEED),\n"
            "    name=last.name,\n"
            ")\n"
            "model = keras.Model(source.inputs, head(last.input))\n"
            "model.summary()",
            is_code=True,
        ),
    )


def training(spec: FineTuneSpec) -> tuple[Cell, ...]:
    """Return the function that trains for some epochs."""
    fields = {
        "BATCH": str(spec.batch_size),
        "OPTIMIZER": OPTIMIZERS[spec.optimizer],
        "WEIGHTS": WEIGHTS if spec.class_weight else "",
        "WEIGHED": ", weights[y_train[rows]]" if spec.class_weight else "",
    }
    code = "".join(fields.get(part, part) for part in TRAIN.split("@"))  # a name between two of them, else text
    return (
        Cell(
            "## 3. Freezing and training\n\nA frozen layer keeps its weights: what it learned on much data cannot be "
            "spoiled by little. With model.fit(x_train, y_train, shuffle=True) Keras would draw the order of the "
            "images itself; here it follows from the seed, so that the result is the lab's."
        ),
        Cell(code.replace("\n\n\n\n", "\n\n\n"), is_code=True),
    )


def phase(spec: FineTuneSpec, number: int) -> tuple[Cell, ...]:
    """Return one phase, counted from 1."""
    phase, first = spec.phases[number - 1], sum(phase.epochs for phase in spec.phases[: number - 1])
    text, lines = _phase_words(phase, number, len(spec.phases)), []
    if phase.schedule != "constant":
        lines.append(_schedule(phase))
    rate = f"{phase.learning_rate:g}" if phase.schedule == "constant" else "rate"
    call = f"train(frozen, epochs={phase.epochs}, learning_rate={rate}"
    call += f", first_epoch={first}" if first else ""
    if spec.patience and number == len(spec.phases):
        text += (
            f" It ends when the validation loss has not fallen for {spec.patience} epochs, and keeps the best weights."
        )
        lines.append(
            "stopping = keras.callbacks.EarlyStopping(\n"
            f'    "val_loss", patience={spec.patience}, restore_best_weights=True\n)'
        )
        call += ", callbacks=[stopping] if len(x_validation) else []"
    lines = [f"frozen = {written(phase.frozen)}", *lines, f"{call})"]
    return Cell(text), Cell("\n".join(lines), is_code=True)


def _phase_words(phase: Phase, number: int, n: int) -> str:
    where = f"Phase {number} of {n}: " if n > 1 else ""
    if not phase.frozen:
        return f"{where}nothing is frozen, so every layer goes on learning from where it stands."
    named = ", ".join(phase.frozen[:MOST_NAMED])
    more = f" and {len(phase.frozen) - MOST_NAMED} more" if len(phase.frozen) > MOST_NAMED else ""
    if n > 1 and number == 1:
        return (
            f"{where}frozen: {named}{more}. A new head's random weights would send large, useless gradients through "
            "the layers below it, so they are held still while it learns."
        )
    return f"{where}frozen: {named}{more}. What is not frozen learns the new task."


def _schedule(phase: Phase) -> str:
    """Return the learning rate's way through a phase in Keras' own words."""
    steps = f"{phase.epochs} * STEPS"
    schedule = "rate = keras.optimizers.schedules.CosineDecay"
    if phase.schedule == "cosine":
        return f"{schedule}({phase.learning_rate:g}, {steps})"
    alpha = "1.0" if phase.schedule == "warm_up" else "0.0"
    return (
        f"warm_up = max(1, round({WARM_UP} * {steps}))\n"
        f"{schedule}(\n"
        f"    {START * phase.learning_rate:g},\n"
        f"    max({steps} - warm_up, 1),\n"
        f"    alpha={alpha},\n"
        f"    warmup_target={phase.learning_rate:g},\n"
        "    warmup_steps=warm_up,\n"
        ")"
    )


def test(balanced: bool = False) -> tuple[Cell, ...]:
    """Return how the trained network is tested; it leaves ``accuracy``."""
    score = "balanced_accuracy_score(y_test, answers)" if balanced else "(answers == y_test).mean()"
    what = "Balanced test accuracy" if balanced else "Test accuracy"
    return (
        Cell("## 4. The test\n\nImages that were never trained on say what was learned."),
        Cell(
            "answers = model.predict(x_test, batch_size=512, verbose=0).argmax(axis=1)\n"
            f"accuracy = float({score})\n"
            f'print(f"{what} {{accuracy:.4f}} on {{len(y_test):,}} images")',
            is_code=True,
        ),
    )
