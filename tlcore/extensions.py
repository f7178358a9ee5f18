"""Extensions: modules from outside that register further data sets, kinds of runs and the rest; see EXTENDING.md."""

import importlib
import logging
import os
import traceback
from collections.abc import Callable, Mapping

from tlcore.errors import LabError, SpecError

log = logging.getLogger(__name__)

VARIABLE = "TRANSFER_LAB_EXTENSIONS"


def load(
    tell: Callable[[str], object] = log.warning, environment: Mapping[str, str] = os.environ
) -> tuple[LabError, ...]:
    """Import the modules that ``TRANSFER_LAB_EXTENSIONS`` names, separated by commas, in their order.

    Every process of the lab calls this once when it starts: the server, each worker, the process that predicts, the
    one behind the what-if, and the command line. The lab goes on without a module that cannot be imported.

    Parameters
    ----------
    tell : takes the sentence about each such module

    Returns
    -------
    tuple of LabError
        One sentence for each module that could not be imported.
    """
    names = [name.strip() for name in environment.get(VARIABLE, "").split(",") if name.strip()]
    problems = tuple(error for error in map(_import, names) if error)
    for problem in problems:
        tell(str(problem))
    return problems


def _import(name: str) -> LabError | None:
    try:
        importlib.import_module(name)
    except (Exception, SystemExit) as error:  # code from outside may raise anything
        reason = " ".join(traceback.format_exception_only(error)[-1].split())[:200]
        return SpecError(
            "The extension {name!r} cannot be imported ({reason}). The lab works without it: fix it, or remove it from"
            " {variable}.",
            name=name,
            reason=reason,
            variable=VARIABLE,
        )
    return None
