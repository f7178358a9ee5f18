"""Pack onnxruntime-web for the pages that models become: ``python -m tlcore.exports.portable FOLDER``."""

import sys
from pathlib import Path

from . import web_page

if __name__ == "__main__":
    web_page.build(Path(sys.argv[1]))
