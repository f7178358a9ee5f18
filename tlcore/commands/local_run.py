"""The commands that train: a line's flags become a spec, and this process executes it while it tells how it goes."""

import os
import signal
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from tlcore import exports, heads, jobs, sources
from tlcore.errors import LabError, SpecError, StoreError
from tlcore.evidence import recorded_comparison, recorded_heads, ways
from tlcore.features import feature_cut
from tlcore.features.freezing import canonical, presets
from tlcore.heads import HEADS
from tlcore.jobs import execution as worker
from tlcore.machine import identity
from tlcore.recipes import article_recipe, scratch_control, thawing, two_phases
from tlcore.sentences import Sentence
from tlcore.spec import RANGES, ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Phase, Spec
from tlcore.store import Run, Store
from tlcore.translation import _

from . import console
from .catalogues import add_head, frozen_layers, list_heads, remove_head
from .history import find_run

LOOK_S = 0.2  # between two looks at a run that goes on
STOP_S = 60.0  # for a run to end whose command cannot go on

SayResult = Callable[[Namespace, Store, Run], None]


def train(options: Namespace) -> int:
    return run_here(options, fine_tune_spec(options))


def compare_heads(options: Namespace) -> int:
    if options.add:
        return add_head(options)
    if options.remove:
        return remove_head(options)
    if options.list:
        return list_heads(options)
    spec = head_spec(options)
    jobs.check(spec)
    code, run = execute_here(options, spec, say_result)
    if not code and options.record:
        console.tell(_("Recorded: {file}").format(file=recorded_heads.write(run, Store(options.home))))
    return code


def compare(options: Namespace) -> int:
    """Compare ways to learn one task, and say which is better."""
    spec = comparison_spec(options)
    jobs.check(spec)
    code, run = execute_here(options, spec, _say_verdict)
    if not code and options.record:
        console.tell(_("Recorded: {file}").format(file=recorded_comparison.write(run, Store(options.home))))
    return code


def _say_verdict(options: Namespace, store: Store, run: Run) -> None:
    say_result(options, store, run)
    found = ways.verdict(run, store)
    if found and not options.json:
        console.say(str(found))


def run_here(options: Namespace, spec: Spec) -> int:
    """Make a run, execute it in this process, say how it goes and what it reached."""
    jobs.check(spec)
    return execute_here(options, spec, say_result)[0]


def execute_here(options: Namespace, spec: Spec, tell_result: SayResult) -> tuple[int, Run]:
    """Make a run and execute it, say how it goes and what it reached; return the exit code and the run."""
    store = Store(options.home)
    return execute_made(options, store, lambda: store.create(spec, name=options.name), tell_result)


def resume(options: Namespace) -> int:
    """Go on with a stopped run, as a run of its own, in this process."""
    store = Store(options.home)
    stopped = find_run(store, options.id)
    if stopped.state != "stopped":
        raise SpecError(
            "Run {run_id} is {state}; only a stopped run can be continued.", run_id=stopped.id, state=stopped.state
        )
    return execute_made(options, store, lambda: store.go_on(stopped, stopped.owner), say_result)[0]


def execute_made(options: Namespace, store: Store, make: Callable[[], Run], tell_result: SayResult) -> tuple[int, Run]:
    """Execute what ``make`` adds to a store, say how it goes and what it reached; return the exit code and the run."""
    with console.quiet(), _interrupts() as pressed:
        run = carry_out(store, make(), pressed, console.tell if options.json else console.say)
    tell_result(options, store, run)
    if run.state == "done":
        return console.OK, run
    if run.state == "stopped" and pressed:
        return console.INTERRUPTED, run
    console.tell(run.error or Sentence("The run was stopped from elsewhere before its end."))
    return console.FAILED, run


def say_result(options: Namespace, store: Store, run: Run) -> None:
    """Print how a run ended, as JSON when that was asked for."""
    if options.json:
        console.say(exports.run_json(run))
        return
    result = console.result_lines(run, store.run_folder(run.id))
    console.say("\n".join([*result, console.ended(run)]))


def fine_tune_spec(options: Namespace) -> FineTuneSpec:
    """Return the fine-tuning of a line; a flag that was not given has the default of its spec.

    Raises
    ------
    SpecError
        A flag was given whose value the article's recipe fixes.
    """
    if options.recipe == "article":
        _refuse_fixed(options)
        spec = article_recipe(**_given(options, "seed"))
    else:
        spec = _own_recipe(options)
    film, scratch = (getattr(options, name, False) for name in ("film", "scratch"))  # a race has its own
    spec = canonical(replace(spec, film=film), sources.info(spec.source).layers)
    return scratch_control(spec) if scratch else spec


_FIXED = (
    "source",
    "target",
    "split",
    "per_class",
    "label_noise",
    "imbalance",
    "freeze",
    "preset",
    "epochs",
    "batch_size",
    "optimizer",
)
_OF_RATE = ("learning_rate", "schedule", "rate_factor")


def _refuse_fixed(options: Namespace) -> None:
    for name in (*_FIXED, *_OF_RATE, "patience", "augment", "class_weight", "thaw", "thaw_every"):
        if getattr(options, name) is not None:
            raise SpecError(
                "The article's recipe fixes what --{flag} sets. Leave it out, or choose another recipe.",
                flag=name.replace("_", "-"),
            )


def _own_recipe(options: Namespace) -> FineTuneSpec:
    spec = FineTuneSpec(
        **_given(options, "source", "batch_size", "optimizer", "seed", "patience", "augment", "class_weight")
    )
    spec = replace(spec, source=_source(options, spec.source))
    layers = sources.info(spec.source).layers
    phase = replace(Phase(**_given(options, "epochs", *_OF_RATE)), frozen=frozen_layers(options, spec.source))
    spec = replace(spec, data=_data(options, spec.source, spec.seed), phases=(phase,))
    if options.thaw is not None:
        for name in ("freeze", "preset"):
            if getattr(options, name) is not None:
                raise SpecError("--thaw says what is frozen when, so leave out --{flag}.", flag=name)
        if options.recipe not in (None, "one-phase"):
            raise SpecError("--thaw is a recipe of its own, so leave out --recipe.")
        return thawing.scheduled(spec, layers, options.thaw)
    if options.recipe == "two-phase":
        return two_phases(spec, presets(layers)["all_but_head"])
    if options.recipe == "gradual":
        every = options.thaw_every or int(RANGES["thaw_every"][2])
        return thawing.scheduled(spec, layers, thawing.gradual(layers, spec.epochs, every))
    return spec


def comparison_spec(options: Namespace) -> ComparisonSpec:
    """Return the comparison of a line; a flag that was not given has the default of its spec."""
    spec = ComparisonSpec(fine_tune_spec(options), **_given(options, "layer", "ways"))
    if options.layer is None:
        spec = replace(spec, layer=feature_cut(sources.info(spec.source).layers, spec.layer))
    return spec


def head_spec(options: Namespace) -> HeadSpec:
    """Return the comparison of a line, without learning curves, as the Heads page starts it."""
    given = _given(options, "source", "layer", "heads", "inputs", "seeds", "class_weight")
    if "all" in given.get("heads", ()):
        given["heads"] = tuple(HEADS)
    spec = HeadSpec(**given, curves=False, tune=options.tune)
    spec = replace(spec, by_hand=heads.not_default(options.set or ()), source=_source(options, spec.source))
    if options.layer is None:
        spec = replace(spec, layer=feature_cut(sources.info(spec.source).layers, spec.layer))
    return replace(spec, data=_data(options, spec.source, spec.seeds[0] if spec.seeds else 0))


def _source(options: Namespace, usual: str) -> str:
    """Return the source of a line; where only a target was named that the usual one does not read, one that does."""
    if options.source is not None or options.target is None:
        return usual
    return sources.source_for(options.target, sources.info(usual), sources.offered())


def _data(options: Namespace, source: str, seed: int) -> DataSpec:
    data = replace(DataSpec(**_given(options, "target", "split", "label_noise", "imbalance")), seed=seed)
    if options.target is None:
        data = replace(data, target=sources.target_for(sources.info(source), data.target))
    if options.per_class is None:
        return data
    return replace(data, per_class=None if options.per_class == "all" else options.per_class)


def _given(options: Namespace, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def carry_out(store: Store, run: Run, pressed: Sequence[int], say: console.Say) -> Run:
    """Execute a queued run in a thread of this process and tell of it until it ends.

    A server on the same folder may claim the run first, for one atomic claim decides: then this only looks on.

    Parameters
    ----------
    pressed : grows when a person wants the run to stop; at the second time the process ends at once
    """
    errors: list[BaseException] = []
    work = threading.Thread(target=_work, args=(run.id, str(store.folder), errors), daemon=True)
    try:
        say(_("Run {id}: {title}").format(id=run.id, title=console.title(run)))
        work.start()
        return _follow(store, run, work, errors, pressed, say)
    except BaseException:  # nobody reads what is said, or the store is gone: the run does not go on unseen
        with suppress(LabError):
            store.request_stop(run.id)
        if work.is_alive():
            work.join(STOP_S)
        raise


def _follow(
    store: Store,
    run: Run,
    work: threading.Thread,
    errors: Sequence[BaseException],
    pressed: Sequence[int],
    say: console.Say,
) -> Run:
    lines = console.LiveLines(say)
    asked = False
    while True:
        working = work.is_alive()  # before the look, which then sees all that it wrote
        run = store.get(run.id)
        lines.show(run, store.points(run.id, lines.since))
        if run.final:
            work.join()
            return run
        if not working and (run.state == "queued" or run.process == identity()):
            raise errors[0] if errors else StoreError("Run {run_id} could not start. Start it again.", run_id=run.id)
        if pressed and not asked:
            asked = True
            store.request_stop(run.id)
            console.tell(_("Stopping; press Ctrl+C again to end at once."))
        if len(pressed) > 1:
            store.finish(run.id, "stopped", attempt=run.attempt)
            os._exit(console.INTERRUPTED)  # a thread inside a long computation cannot be ended in any other way
        time.sleep(LOOK_S)


def _work(run_id: str, folder: str, errors: list[BaseException]) -> None:
    try:
        worker.execute(run_id, folder)
    except BaseException as error:  # told by the thread that waits
        errors.append(error)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect Ctrl+C and the request to terminate instead of being ended by them."""
    pressed: list[int] = []
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in kept:
        signal.signal(number, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
