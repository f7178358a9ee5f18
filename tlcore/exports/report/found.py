"""What came out: the headline, the numbers with their tests, the curves, and the proof of freezing."""

from collections.abc import Iterator

from tlcore import heads
from tlcore.errors import LabError
from tlcore.evaluation import balance
from tlcore.evaluation.words import accuracy_words
from tlcore.evidence import contest, side_by_side, ways
from tlcore.evidence.contest import Entrant
from tlcore.heads import CURVES, HEADS, LOSSES
from tlcore.sentences import NOTHING, Sentence, between, percent, verbatim
from tlcore.spec import ComparisonResult, ComparisonSpec, HeadMean, HeadSpec, MetricPoint, ProofRow
from tlcore.store import Run, Store

from . import drawing
from .writer import Words, Writer

ALL = 1_000_000  # points of one run: every one there is
PARTS = {"train": Sentence("training"), "validation": Sentence("validation"), "test": Sentence("test")}
OUT_OF_BAG = Sentence("out of bag")  # what a forest has for its training images
INPUTS = {"features": Sentence("features"), "pixels": Sentence("raw pixels")}


def model_title(writer: Writer, run: Run, model: str) -> str:
    """Return what one of a run's models is called: ``linear_svm-pixels`` is a linear SVM on raw pixels."""
    head, dash, given = model.partition("-")
    if not dash:
        return writer.text(Sentence("The network"))
    hand = getattr(run.spec, "by_hand", ())
    return writer.text(
        Sentence("{head} on {input}", head=heads.title(head, hand), input=INPUTS.get(given, verbatim(given)))
    )


def headline(writer: Writer, run: Run, store: Store) -> str:
    """Return in large type what was found."""
    return writer.paragraph(_headline(writer, run, store), kind="headline")


def _headline(writer: Writer, run: Run, store: Store) -> Words:
    result = run.result
    if isinstance(result, ComparisonResult):
        found = ways.verdict(run, store)
        if found is not None:
            return found
    if len(getattr(result, "table", ())) > 1:
        found_of_heads = contest.contest(_entrants(writer, run), store.folder)
        if found_of_heads is not None:
            return found_of_heads.headline
    test = side_by_side.score(run) or result.test
    if test is not None:
        return accuracy_words(test)
    return Sentence("Accuracy {accuracy}.", accuracy=percent(result.accuracy or 0.0))


def _entrants(writer: Writer, run: Run) -> list[Entrant]:
    models = [f"{line.head}-{line.input}" for line in getattr(run.result, "table", ())]
    return [Entrant(model_title(writer, run, model), run, model) for model in models]


def numbers(writer: Writer, run: Run, store: Store) -> str:
    """Return accuracies with their intervals, and the test against who learned beside it."""
    result, parts = run.result, [writer.heading(Sentence("How well it does"))]
    table = getattr(result, "table", ())
    if table:
        parts.append(_heads(writer, run))
    elif isinstance(result, ComparisonResult):
        parts.append(_ways(writer, run, store))
    elif result.test is not None:
        parts.append(writer.paragraph(accuracy_words(result.test)))
    if result.balanced and (test := side_by_side.score(run)):
        parts.append(writer.paragraph(balance.measured(test, result.class_names)))
    parts.append(_tested(writer, run, store))
    if found := result.forgetting:
        words = Sentence("The source's own task: {change}.", change=found.change)
        parts.append(writer.paragraph(words))
    return "".join(parts)


def _heads(writer: Writer, run: Run) -> str:
    top = [Sentence("Head"), Sentence("Accuracy"), Sentence("95 % interval"), Sentence("Seeds"), Sentence("Fit time")]
    lines: list[HeadMean] = list(getattr(run.result, "table", ()))
    rows = [
        (
            model_title(writer, run, f"{line.head}-{line.input}") + (" ★" if line.best and len(lines) > 1 else ""),
            percent(line.mean),
            between(*line.interval),
            line.n_seeds,
            Sentence("{n:.2f} s", n=line.fit_s),
        )
        for line in lines
    ]
    note = Sentence("★: the best, and all that are not clearly worse.") if len(lines) > 1 else NOTHING
    return writer.table(top, rows) + writer.paragraph(note, kind="note")


def _ways(writer: Writer, run: Run, store: Store) -> str:
    assert isinstance(run.result, ComparisonResult)
    top = [Sentence("Way"), Sentence("Accuracy"), Sentence("95 % interval"), Sentence("Learned in"), Sentence("Run")]
    rows = []
    for each in ways.trained(run.result, store):
        score = each.entrant("").score
        rows.append(
            (
                ways.title(each.way.name),
                percent(score.headline) if score else None,
                between(*score.interval) if score else None,
                Sentence("{n:.2f} s", n=each.way.learn_s),
                each.run.id,
            )
        )
    return writer.table(top, rows)


def _tested(writer: Writer, run: Run, store: Store) -> str:
    """Return the paired test of a run with several models; of one way of a comparison that of the whole."""
    if isinstance(run.result, ComparisonResult) or run.parent:
        try:
            whole = store.get(run.parent) if run.parent else run
        except LabError:  # removed for good meanwhile
            return ""
        found = ways.verdict(whole, store)
        if found is None:
            return ""
        title = Sentence("Against the others of its comparison") if run.parent else Sentence("Which is better")
        return writer.under(title) + writer.paragraph(found)
    tested = contest.contest(_entrants(writer, run), store.folder)
    if tested is None:
        return ""
    return writer.under(Sentence("Which is better")) + writer.paragraph(tested.verdict, tested.scope)


def curves(writer: Writer, run: Run, store: Store) -> str:
    """Return the accuracy and the loss of every curve."""
    lines: dict[tuple[str, str], list[MetricPoint]] = {}
    for _seq, point in store.points(run.id, limit=ALL):
        lines.setdefault((point.head, point.input), []).append(point)
    drawn = []
    for (head, given), points in lines.items():
        title = _curve_title(writer, run, head, given)
        for measure in ("accuracy", "loss"):
            if drawing_of := _drawn(writer, run, head, points, measure):
                drawn.append(f"<div>{writer.under(title)}{drawing_of}</div>" if title else drawing_of)
    if not drawn:
        return ""
    caption = Sentence(
        "Training is dashed, validation solid, a single test a dot. The numbers at the left say where each axis begins."
    )
    charts = f'<div class="charts">{"".join(drawn)}</div>'
    return writer.heading(Sentence("Curves")) + writer.figure(charts, caption)


def _curve_title(writer: Writer, run: Run, head: str, given: str) -> str:
    if not head:
        return ""
    if isinstance(run.spec, ComparisonSpec):
        return writer.text(ways.title(head))
    return model_title(writer, run, f"{head}-{given}")


def _drawn(writer: Writer, run: Run, head: str, points: list[MetricPoint], measure: str) -> str:
    # Of a single head no point has its name; the ways of a comparison all go by epochs.
    card = HEADS.get(head or run.spec.heads[0]) if isinstance(run.spec, HeadSpec) else None
    parts = dict.fromkeys(point.part for point in points)
    lines = {
        part: (
            writer.text(OUT_OF_BAG if card and card.loss == "out_of_bag" and part == "train" else PARTS[part]),
            [
                (point.x, value)
                for point in points
                if point.part == part and (value := getattr(point, measure)) is not None
            ],
        )
        for part in parts
    }
    along = CURVES[card.curve] if card else CURVES["epochs"]
    what = Sentence("accuracy")
    if measure == "loss":
        what = LOSSES[card.loss] if card else Sentence("loss")
    return drawing.curves(lines, writer.text(along), writer.text(what), percent=measure == "accuracy")


def proof(writer: Writer, run: Run, store: Store) -> str:
    """Return whether freezing kept its promise, layer by layer."""
    rows: tuple[ProofRow, ...] = getattr(run.result, "proof", ())
    words = side_by_side.proof(run)
    if words is None:
        return ""
    top = [Sentence("Layer"), Sentence("Phase"), Sentence("Was"), Sentence("SHA-256 before"), Sentence("SHA-256 after"),
           Sentence("As promised")]  # fmt: skip
    body = (
        (
            row.layer,
            row.phase,
            Sentence("frozen") if row.frozen else Sentence("trainable"),
            row.before,
            row.after,
            "✓" if row.ok else "✗",
        )
        for row in rows
    )
    explained = Sentence(
        "The sum over the weights of a layer before and after training: equal sums mean that no weight changed."
    )
    heading = writer.heading(Sentence("Proof of freezing"))
    return heading + writer.paragraph(Sentence("{words}.", words=words), explained) + writer.table(top, body)


def limits(writer: Writer, run: Run) -> Iterator[Sentence]:
    """Yield what the numbers do not say."""
    names, spec = run.result.class_names, run.spec
    if run.state == "stopped":
        yield Sentence("The training was stopped before its end; this is what was learned until then.")
    if run.result.accuracy is not None and not isinstance(run.result, ComparisonResult):
        n = len(names)
        yield Sentence(
            "It answers with one of its {n} classes to every picture, also to one that shows none of them.", n=n
        )
    few = spec.data.per_class
    if few is not None and few < contest.FEW_LABELS:
        yield Sentence(
            "It learned from {n} labels per class. Other {n} images of each class may give a clearly different "
            "accuracy; only more seeds tell how different.",
            n=few,
        )
    yield Sentence(
        "The test images come from the same collection as the training images. On pictures taken another way the "
        "accuracy may be much lower; it was not measured here."
    )
    if len(getattr(run.result, "table", ())) > 1:
        yield Sentence(
            "The best of several was picked by the same test images that measured it, so its accuracy looks slightly "
            "better than it is."
        )
