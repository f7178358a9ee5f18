"""The commands that look at what there is: a moved boundary, one answer, a head, a network, a finished run."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import prediction, sources
from tlcore.errors import SpecError
from tlcore.evaluation.words import accuracy_words
from tlcore.evidence import contest, finish, recorded_cuts, recorded_race, side_by_side
from tlcore.evidence.contest import Entrant
from tlcore.inspection import explanation, lesson, maps
from tlcore.inspection.lesson import RATES, Lesson
from tlcore.inspection.nearest import Nearest
from tlcore.inspection.rates import range_test
from tlcore.jobs.fine_tune import proof_words
from tlcore.prediction import what_if
from tlcore.prediction.what_if import Cuts, Move
from tlcore.recipes import race as racing
from tlcore.sentences import Sentence, between, percent
from tlcore.spec import PIXELS
from tlcore.store import Run, Store
from tlcore.translation import _, shown

from . import answers, closer, console, history, local_run

DEFAULT_LANES = ("nothing", "convolutions", "scratch")


def move_boundary(options: Namespace) -> int:
    """Freeze up to a layer, train what comes after it on 1,000 images, and say what it reaches."""
    given = {
        name: getattr(options, name)
        for name in ("source", "target", "tail", "seed", "per_class")
        if getattr(options, name) is not None
    }
    cut = Move.cut if options.cut is None else options.cut
    if options.every_cut or options.record:
        return _say_every_cut(options, Cuts(**{name: value for name, value in given.items() if name != "tail"}))
    move = Move(**given, cut=None if cut == "nothing" else cut)
    with console.quiet():
        answer = what_if.retrain(move)
    lines = [
        shown(accuracy_words(answer.test)),
        _("{n:,} numbers were fitted on {images:,} images in {seconds:.1f} s.").format(
            n=answer.n_trainable, images=answer.n_images, seconds=answer.seconds
        ),
        shown(proof_words(answer.proof)),
    ]
    return console.show(options, asdict(answer), "\n".join(lines))


def find_rate(options: Namespace) -> int:
    """Try rising learning rates on the network that ``train`` would train, and name one."""
    with console.quiet():
        test = range_test(local_run.fine_tune_spec(options))
    rows = [f"{rate:.1e}  {loss:.3f}" for rate, loss in list(zip(test.rates, test.losses, strict=True))[::8]]
    words = _("No rate made the loss fall.") if test.best is None else _("The loss falls fastest at {rate:g}.")
    return console.show(options, asdict(test), "\n".join([_("rate     loss"), *rows, words.format(rate=test.best)]))


def _say_every_cut(options: Namespace, cuts: Cuts) -> int:
    """Say what a linear SVM reaches at every cut; recorded is the draft that ships."""
    cuts = recorded_cuts.default() if options.record else cuts
    with console.quiet():
        scores = what_if.every_cut(cuts)
    if options.record:
        console.tell(_("Recorded: {file}").format(file=recorded_cuts.write(scores)))
    tests = {cut or PIXELS: test for cut, test in scores.tests}
    rows = [
        [cut, console.accuracy(test.headline, test.balanced), between(*test.interval)] for cut, test in tests.items()
    ]
    values = {**asdict(scores), "tests": {cut: asdict(test) for cut, test in tests.items()}}
    lines = [
        console.table([_("cut after"), _("accuracy"), _("95 % interval")], rows),
        _("A linear SVM at each cut, on {n:,} images, in {seconds:.1f} s.").format(
            n=scores.n_images, seconds=scores.seconds
        ),
    ]
    return console.show(options, values, "\n".join(lines))


def explain(options: Namespace) -> int:
    """Say of one file what a model sees in it and why: where it looks, and the nearest training images."""
    name = answers.find_model(options.home, options.model)
    form, whole = prediction.how_it_reads(name, options.home)
    item = answers.read_item(options.file, form, options.normalise, whole)
    with console.quiet():
        found = explanation.explain(name, item, str(options.home))
    if options.arrays:
        _write_arrays(found, options.arrays)
    words = answers.as_words(found.class_names, found.probabilities)
    heat, near = found.heat, found.nearest
    values = {
        **words,
        "heat": str(heat) if isinstance(heat, Sentence) else {"layer": heat.layer, "highest": heat.highest},
        "nearest": str(near) if isinstance(near, Sentence) else _near(near),
        "layers": {layer: list(value.shape) for layer, value in found.activations},
    }
    sure = percent(float(words["probability"]))  # type: ignore[arg-type]
    lines = [_("{label}, {share} sure.").format(label=words["label"], share=sure)]
    if isinstance(heat, Sentence):
        lines.append(shown(heat))
    else:
        row, column = np.unravel_index(int(heat.heat.argmax()), heat.heat.shape)
        lines.append(
            _(
                "It looks most at row {row}, column {column} of the image: {highest:.2g} to the score of {label} "
                "(Grad-CAM at {layer})."
            ).format(
                row=row + 1,
                column=column + 1,
                highest=heat.highest,
                label=found.class_names[heat.label],
                layer=heat.layer,
            )
        )
    if isinstance(near, Sentence):
        lines.append(shown(near))
    else:
        nearest = ", ".join(f"{label} ({d:.1f})" for label, d in zip(near.labels, near.distances, strict=True))
        lines.append(
            _(
                "Nearest of {n:,} training images in the features of {layer}, with their distance: {nearest}; a "
                "typical one is {typical:.1f} away."
            ).format(n=near.n, layer=near.layer, nearest=nearest, typical=near.typical)
        )
    return console.show(options, values, "\n".join(lines))


def _near(near: Nearest) -> dict[str, Any]:
    pairs = [[label, float(d)] for label, d in zip(near.labels, near.distances, strict=True)]
    return {"layer": near.layer, "of": near.n, "typical": near.typical, "images": pairs}


def _write_arrays(found: explanation.Explanation, path: Path) -> None:
    """Write what a page draws of an explanation as arrays by name."""
    arrays = {f"layer/{layer}": value for layer, value in found.activations}
    if not isinstance(found.heat, Sentence):
        arrays["heat"] = found.heat.heat
    if not isinstance(found.nearest, Sentence):
        arrays["nearest"] = found.nearest.images
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise SpecError(
            "{path} cannot be written ({reason}). Name another file.", path=path, reason=error.strerror
        ) from error
    console.tell(_("Arrays: {file}").format(file=path))


def feature_map(options: Namespace) -> int:
    """Lay a layer's features of test images on a plane, before and after a fine-tuning."""
    run = history.find_run(Store(options.home), options.id)
    with console.quiet():
        found = maps.before_and_after(run.id, options.layer, options.method, str(options.home))
    near = {
        when: float((plane.neighbours == found.labels).mean())
        for when, plane in (("before", found.before), ("after", found.after))
    }
    if options.csv:
        names = run.result.class_names
        rows = (
            f"{names[label]},{a[0]:.6g},{a[1]:.6g},{b[0]:.6g},{b[1]:.6g}"
            for label, a, b in zip(found.labels, found.before.points, found.after.points, strict=True)
        )
        lines = ["class,before_x,before_y,after_x,after_y", *rows]
        options.csv.write_text("\n".join(lines) + "\n", encoding="utf-8")
        console.tell(_("Points: {file}").format(file=options.csv))
    before = _("before: the nearest other image is of the same class for {share}")
    after = _("after: the nearest other image is of the same class for {share}")
    words = [line.format(share=percent(near[when])) for when, line in (("before", before), ("after", after))]
    if found.same:
        same = _("Everything up to {layer} was frozen: before and after are the same.")
        words.append(same.format(layer=options.layer))
    values = {"layer": options.layer, "method": options.method, "same_class": near, "same": found.same}
    return console.show(options, values, "\n".join(words))


def teach(options: Namespace) -> int:
    """Show the mathematics of fine-tuning with the numbers of one run, or of the recorded one."""
    if options.id is None:
        return _say_lesson(options, lesson.recorded())
    run = history.find_run(Store(options.home), options.id)
    with console.quiet():
        return _say_lesson(options, lesson.of_run(run.id, str(options.home)))


def _say_lesson(options: Namespace, found: Lesson) -> int:
    steps = [
        [f"{rate:g}", f"{after:.4f}", f"{found.loss - found.expected_fall(rate):.4f}"]
        for rate, after in zip(RATES, found.losses, strict=True)
    ]
    layers = [
        [step.layer, step.n_weights, f"{step.gradient:.4f}", _("yes") if step.frozen else _("no")]
        for step in found.layers
    ]
    n, d = found.matrix
    lines = [
        _(
            "J = {loss:.4f}: the mean of −log p over the {n} images of the first batch; {after:.4f} after the whole "
            "run."
        ).format(loss=found.loss, n=len(found.labels), after=found.trained_loss),
        _("One step w ← w − η ∂J/∂w:"),
        console.table(["η", _("J after it"), _("J on a straight slope")], steps),
        console.table([_("layer"), _("weights"), "‖∂J/∂w‖", _("frozen")], layers),
        _(
            "Features of {layer}: a matrix of {n:,} × {d:,}. An SVM of {first} against {second} on {rows} of its rows "
            "has {k} support vectors; W(α) = {value:.4f}."
        ).format(
            layer=found.layer,
            n=n,
            d=d,
            first=found.svm.pair[0],
            second=found.svm.pair[1],
            rows=found.svm.n,
            k=found.svm.n_support,
            value=found.svm.dual.value,
        ),
    ]
    return console.show(options, asdict(found), "\n".join(lines))


def race(options: Namespace) -> int:
    """Run several settings on the same images with the same seed, and say which did better."""
    if options.recipe == "article":
        raise SpecError("The article's recipe transfers nothing, so it cannot be raced. Choose another recipe.")
    draft = local_run.fine_tune_spec(options)
    specs = racing.lanes(draft, sources.info(draft.source).layers, options.lanes or DEFAULT_LANES)
    runs: dict[str, Run] = {}
    for name in racing.start_order(list(specs), draft.seed):
        code, runs[name] = local_run.execute_here(options, specs[name], closer.say_nothing)
        if code:
            return code
    store = Store(options.home)
    entrants = [Entrant(name, runs[name]) for name in specs]
    values, words = closer.told(entrants, store)
    tests = {name: runs[name].result.test for name in specs}
    rows = [
        [
            name,
            runs[name].id,
            console.accuracy(test.headline, test.balanced),
            between(*test.interval),
            side_by_side.forgot(runs[name]) or None,
            console.took(runs[name])[2:],
        ]
        for name, test in tests.items()
        if test is not None
    ]
    values["lanes"] = {name: runs[name].id for name in specs}
    values["forgetting"] = {name: run.result.forgetting and asdict(run.result.forgetting) for name, run in runs.items()}
    if options.record:
        console.tell(
            _("Recorded: {file}").format(file=recorded_race.write({name: runs[name] for name in specs}, store))
        )
    text = console.table([_("lane"), _("run"), _("accuracy"), _("95 % interval"), _("own task"), _("took")], rows)
    found = contest.contest(entrants, store.folder)
    ended = shown(finish.details(found, finish.finishes(runs, store))) if found else ""
    return console.show(options, values, "\n".join(filter(None, (text, words, ended))))


def annotate(options: Namespace) -> int:
    """Give a run a name or a note; an empty text takes it away."""
    store = Store(options.home)
    run = history.find_run(store, options.id)
    store.annotate(run.id, **{options.field: options.text})
    console.say(
        _("Run {id} has the {field} {text!r}.").format(id=run.id, field=options.field, text=options.text)
        if options.text
        else _("Run {id} has no {field}.").format(id=run.id, field=options.field)
    )
    return console.OK
