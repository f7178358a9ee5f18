"""The command that tests a finished model on a set: ``evaluate``."""

from argparse import Namespace

from tlcore.jobs.evaluate import asked, left_out_words
from tlcore.spec import EvaluateResult
from tlcore.store import Run, Store
from tlcore.translation import shown

from . import answers, closer, console, local_run


def evaluate(options: Namespace) -> int:
    """Test a model on a set; the test is a run of its own."""
    name = answers.find_model(options.home, options.model)
    spec = asked(name, options.target, options.home, "all" if options.all else "test")
    return local_run.execute_here(options, spec, _say)[0]


def _say(options: Namespace, store: Store, run: Run) -> None:
    """Say what a closer look at the test shows, and how the run ended."""
    result = run.result
    if options.json or not isinstance(result, EvaluateResult) or result.test is None:
        local_run.say_result(options, store, run)
        return
    _values, text = closer.seen(options.home, run, closer.MODEL)
    lines = [text, *filter(None, [shown(left_out_words(result))]), console.ended(run)]
    console.say("\n".join(lines))
