"""The files that a run saved, as they are."""

from collections.abc import Iterable
from pathlib import Path

from tlcore import prediction
from tlcore.evaluation import outputs
from tlcore.sentences import Sentence
from tlcore.store import Run, Store

from .exporter import Exporter, Part


class Network(Exporter):
    """The network that a run trained, as Keras reads it."""

    name = "model"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        files = [run.result.network] if run.result.network else []
        return _parts(run, store, files, Sentence("Download the model"))


class Heads(Exporter):
    """The heads that a run fitted, as skops reads them."""

    name = "heads"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        return _parts(run, store, (name for name in run.result.files if name.startswith("heads/")))


class Answers(Exporter):
    """What the models of a run answered to every test image, as NumPy reads it."""

    name = "answers"
    only_by_name = True

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        return _parts(run, store, [outputs.FILE] if outputs.FILE in run.result.files else [])


def _parts(run: Run, store: Store, files: Iterable[str], title: Sentence | None = None) -> tuple[Part, ...]:
    return tuple(_part(run, store, file, title) for file in dict.fromkeys(files))


def _part(run: Run, store: Store, file: str, title: Sentence | None) -> Part:
    def checked() -> Path:
        return prediction.checked_file(run, file, store.folder)

    name = Path(file).name
    title = title or Sentence("Download {file}", file=name)
    return Part(f"-{name}", title, read=lambda: checked().read_bytes(), check=checked)
