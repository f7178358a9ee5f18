"""``python -m tlcore``: every action of the dashboard as a command; see ``cli``."""

import io
import logging
import os
import sys
import warnings

from tlcore.cli import main

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported, inside a command
    logging.raiseExceptions = False  # a log that cannot be written is no reason for a traceback
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no "±" shows something, no traceback
    sys.exit(main(sys.argv[1:]))
