"""``python -m tlcore.datasets build FOLDER``: pack the shipped MNIST from its four original files.

``unseen`` in place of ``build`` packs the few images of Fashion-MNIST that ship, from its four files; ``hands`` the
photographs of hands, from their ZIP.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tlcore.errors import DataError

from . import get
from .unseen import build


def main(arguments: Sequence[str]) -> int:
    makers = {"build": get("mnist").build, "unseen": build, "hands": get("hands").build}
    if len(arguments) != 2 or arguments[0] not in makers:
        print("usage: python -m tlcore.datasets build|unseen FOLDER_WITH_THE_FOUR_FILES", file=sys.stderr)
        print("       python -m tlcore.datasets hands FILE.zip", file=sys.stderr)
        return 2
    try:
        path = makers[arguments[0]](Path(arguments[1]))
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
