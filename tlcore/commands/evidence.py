"""The commands that measure: a grid of experiments, or one of the studies whose results ship."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import isinf
from typing import Any

from tlcore import exports, jobs
from tlcore.errors import SpecError
from tlcore.evidence import claims, method_of, recorded, savings, sweeps
from tlcore.features import freezing
from tlcore.recipes import break_it
from tlcore.sentences import spread
from tlcore.spec import Cell, ExampleSpec, SweepSpec
from tlcore.store import Run, Store
from tlcore.translation import _, shown

from . import console
from .history import find_run
from .local_run import execute_here, say_result

LAST = "last"


def sweep(options: Namespace) -> int:
    """Run a grid, or every grid of a study in turn."""
    specs = recorded.STUDIES[options.study] if options.study else (sweep_spec(options),)
    if options.record and not options.study:
        raise SpecError("Only a study can be recorded. Name one: --study {known}.", known=" or ".join(recorded.STUDIES))
    store = Store(options.home)
    finished: list[tuple[Run, Sequence[Cell]]] = []
    for spec in specs:
        spec = replace(spec, budget_s=options.budget, resumes=_resumed(store, options.resume, spec))
        jobs.check(spec)
        code, run = execute_here(options, spec, _say_sweep)
        finished.append((run, store.cells(run.id)))
        if code:
            return code
    cells = [cell for _run, part in finished for cell in part]
    if options.csv:
        options.csv.write_text(exports.cells_csv(cells), encoding="utf-8")
        console.tell(_("Experiments: {file}").format(file=options.csv))
    if options.json:
        console.say(console.as_json([asdict(cell) for cell in cells]))
    if options.record:
        if not all(run.result.complete for run, _cells in finished):
            raise SpecError("The study is not complete, so nothing was recorded. Go on with --resume last.")
        console.tell(_("Recorded: {file}").format(file=recorded.write(options.study, finished)))
    return console.OK


def judge(options: Namespace) -> int:
    """Print every claim with its verdict, or run Keras' own example."""
    if options.example:
        return _run_example(options)
    groups = {"": [cell for study in claims.STUDIES for cell in recorded.load(study).cells]}
    if options.mine:
        store = Store(options.home)
        mine = [(run.spec, store.cells(run.id)) for run in store.list(kind=SweepSpec.kind)]
        found = sweeps.by_conditions(mine)  # type: ignore[arg-type]
        groups = {shown(conditions.words): cells for conditions, cells in found.items()} or {"": []}
    values, cards = [], []
    for words, cells in groups.items():  # what was measured otherwise is not merged
        verdicts = claims.judge_all(cells)
        values += [
            {"claim": v.claim.name, "verdict": v.word, "findings": [asdict(f) for f in v.findings]}
            | ({"measured": words} if words else {})
            for v in verdicts
        ]
        cards += [_("With {conditions}:").format(conditions=words)] if words else []
        cards += map(_card, verdicts)
    return console.show(options, values, "\n\n".join(cards))


def _card(verdict: claims.Verdict) -> str:
    claim = verdict.claim
    rows = []
    for one in verdict.findings:
        amounts = [_amount(value, claim.unit) for value in (one.value, one.low, one.high)]
        rows.append([f"{one.per_class}", one.source, *amounts, f"{one.n_seeds}", _support(one)])
    unit = _("times") if claim.unit == "times" else _("points")
    heads = [_("labels"), _("source"), unit, _("low"), _("high"), _("seeds"), ""]
    found = console.table(heads, rows) if rows else ""
    lines = [f"{shown(claim.sentence)} {_verdict(verdict.word)}", shown(claim.experiment), found]
    published = _("Published: {words} {source}").format(words=shown(claim.published), source=claim.reference)
    return "\n".join([*filter(None, lines), published])


def _verdict(word: claims.Word) -> str:
    """Return a verdict as a sentence of its own."""
    sentences = {
        "supported": _("Supported."),
        "refuted": _("Refuted."),
        "not shown": _("Not shown."),
        "depends": _("Depends."),
        "not measured": _("Not measured."),
    }
    return sentences[word]


def _support(finding: claims.Finding) -> str:
    if finding.control:
        return _("control")
    return {True: _("supports it"), False: _("against it"), None: _("unclear")}[finding.supports]


def _amount(value: float, unit: str) -> str:
    if isinf(value):
        return _("not reached")
    return f"{value:.1f}" if unit == "times" else f"{100 * value:+.1f}"


def _run_example(options: Namespace) -> int:
    """Run the example in this process, and write its result where the app ships it when that was asked for."""
    spec = ExampleSpec() if options.seed is None else ExampleSpec(seed=options.seed)
    code, run = execute_here(options, spec, say_result)
    if not code and options.record:
        console.tell(_("Recorded: {file}").format(file=recorded.write_example(run)))
    return code


def sweep_spec(options: Namespace) -> SweepSpec:
    """Return the grid of a line; a flag that was not given has the default of its spec."""
    names = ("sources", "target", "split", "cuts", "methods", "per_class", "seeds", "n_test", "n_steps")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(options, name)) is not None}
    if given.get("n_test") == "all":
        given["n_test"] = None
    spec = SweepSpec(**given)
    return spec if options.cuts is not None else replace(spec, cuts=sweeps.fitting_cuts(spec.sources, spec.cuts))


def _resumed(store: Store, text: str | None, spec: SweepSpec) -> str:
    """Return the id of the run whose experiments are taken over; of ``last`` the newest of the same grid, or none."""
    if text is None:
        return ""
    if text != LAST:
        return find_run(store, text).id
    same = (run for run in store.list(kind=SweepSpec.kind) if _grid(run.spec) == _grid(spec))
    return next((run.id for run in same), "")


def _grid(spec: Any) -> SweepSpec:
    return replace(spec, budget_s=None, resumes="")


def _say_sweep(options: Namespace, store: Store, run: Run) -> None:
    if options.json:  # all experiments come at the end, as one list
        return
    lines = [
        sweep_table(store.cells(run.id)),
        *console.result_lines(run, store.run_folder(run.id)),
    ]
    console.say("\n".join([*filter(None, lines), console.ended(run)]))


def sweep_table(cells: Sequence[Cell]) -> str:
    """Return means over seeds with the half-width of their 95 % interval: a column for each number of labels."""
    labels = sorted({cell.per_class for cell in cells})
    rows = []
    for source, cut, method in dict.fromkeys((cell.source, cell.cut, cell.method) for cell in cells):
        found = {band.x: band for band in savings.bands(savings.curve(cells, method, source, cut))}
        rows.append([source, cut, method, *(_band(found.get(n), method) for n in labels)])
    heads = [_("source"), _("cut"), _("method"), *(_("{n} labels").format(n=n) for n in labels)]
    return console.table(heads, rows) if rows else ""


def _band(band: savings.Band | None, method: str) -> str | None:
    if band is None:
        return None
    width = band.high - band.mean if band.n_seeds > 1 else None
    if method_of(method).is_score:
        return f"{band.mean:.2f}" + (f" ± {width:.2f}" if width is not None else "")
    return spread(band.mean, width)


def break_one(options: Namespace) -> int:
    """Run the healthy fine-tuning and the same with one mistake; say whether the promised drop came."""
    seed, ended = options.seed or 0, []
    for spec in (break_it.healthy(seed), break_it.broken(options.mistake, seed)):
        code, run = execute_here(options, spec, _say_nothing)
        if code and not (ended and run.state == "failed"):  # a mistake may end its run: that is its promise
            return code
        ended.append(run)
    twin, run = ended
    found, promise = break_it.verdict(options.mistake, run, twin), break_it.BREAKS[options.mistake]
    if options.json:
        runs = {"healthy": twin.id, "broken": run.id}
        promised = {"least_drop": promise.least_drop, "unmoved": promise.unmoved}
        console.say(console.as_json({"mistake": options.mistake, **runs, **asdict(found), **promised}))
        return console.OK
    unmoved = shown(freezing.uncompiled(break_it.proof(run)))
    kept = _("The promise was kept.") if found.kept else _("The promise was not kept.")
    console.say(" ".join(filter(None, (_promised(promise), _seen(found.drop), unmoved, kept))))
    return console.OK


def _promised(promise: break_it.Break) -> str:
    """Return what a mistake should do."""
    words = _("Promised: at least {points:.0f} points.")
    if promise.unmoved:
        words = _("Promised: at least {points:.0f} points, {layers} unmoved.")
    elif promise.may_stop:
        words = _("Promised: at least {points:.0f} points or an end of the run.")
    return words.format(points=100 * promise.least_drop, layers=", ".join(promise.unmoved))


def _seen(drop: float | None) -> str:
    """Return what it did."""
    if drop is None:
        return _("Seen: the run ended itself.")
    return _("Seen: {points:.1f} points lost.").format(points=100 * drop)


def _say_nothing(options: Namespace, store: Store, run: Run) -> None:
    """The two results are told together."""
