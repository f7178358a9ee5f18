"""The log: one JSON object a line, with the run and the person it is about; never a drawing, never a cookie."""

import json
import logging
import os
import re
import time
from collections.abc import Mapping

from .errors import SpecError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
RUN = re.compile(r"\brun ([0-9a-f]{16})\b")


class Line(logging.Formatter):
    """Formats a record as one line of JSON.

    ``run`` and ``person`` come from the record's ``extra``; a run's id in the message counts too.

    Examples
    --------
    >>> record = logging.LogRecord("tlcore.engine", logging.WARNING, "", 0, "run %s died", ("0" * 16,), None)
    >>> json.loads(Line().format(record))["run"]
    '0000000000000000'
    """

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        found = RUN.search(message)
        fields = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "run": getattr(record, "run", found and found[1]),
            "person": getattr(record, "person", None),
            "message": message,
            "trace": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)


def configure(environ: Mapping[str, str] = os.environ) -> None:
    """Write the log of this process to standard error, from the level that TRANSFER_LAB_LOG_LEVEL names (INFO) on.

    Handlers that libraries brought along keep their levels and take the same form.

    Raises
    ------
    SpecError
        There is no such level.
    """
    level = environ.get("TRANSFER_LAB_LOG_LEVEL", "").strip().upper() or "INFO"
    if level not in LEVELS:
        raise SpecError(
            "TRANSFER_LAB_LOG_LEVEL must be one of {levels}. Received: {level!r}. Try TRANSFER_LAB_LOG_LEVEL=INFO.",
            levels=", ".join(LEVELS),
            level=level,
        )
    handler = logging.StreamHandler()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tlcore").setLevel(level)
    logging.getLogger("pages").setLevel(level)
    for logger in (logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))):
        for each in logger.handlers:
            each.setFormatter(Line())
