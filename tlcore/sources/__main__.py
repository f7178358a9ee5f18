"""``python -m tlcore.sources NAME``: train a shipped source model again, or copy a backbone's published weights."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tlcore.errors import LabError

from .making import REBUILT, rebuild
from .shipped import FOLDER


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tlcore.sources", description="Train a source model again.")
    parser.add_argument("name", choices=REBUILT)
    words = "folder of the four Fashion-MNIST files, else keras.datasets; of a backbone, the file of its weights"
    parser.add_argument("--data", type=Path, help=words)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the model and its card are written")
    parser.add_argument("--epochs", type=int, help="in place of the recipe's own number")
    options = parser.parse_args(arguments)
    try:
        rebuild(options.name, options.folder, options.data, options.epochs)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
