"""The forms in which a trained model runs elsewhere, as the page and the command line list them."""

from pathlib import Path
from typing import ClassVar

from tlcore import prediction
from tlcore.prediction import ModelName, PredictorInfo
from tlcore.sentences import Sentence, percent
from tlcore.store import Run, Store

from ..exporter import Exporter, Part
from . import making
from .making import Form, Made

LITE_HEADS = ("linear_svm", "logistic_regression", "dense")  # heads that are dense layers
PICTURES = ("image", "photo")
LOST = 0.01  # of the accuracy: more is said


class Portable(Exporter):
    """A form that a model is converted to, and tried in on test images before it is handed out."""

    only_by_name = True
    form: ClassVar[Form]
    ending: ClassVar[str]
    title: ClassVar[Sentence]  # with a field for the model's

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        return tuple(self._part(run, store, info) for info in prediction.of_run(run) if self.has(run, info))

    def has(self, run: Run, info: PredictorInfo) -> bool:
        """Return whether a model can be had in this form."""
        return True

    def _part(self, run: Run, store: Store, info: PredictorInfo) -> Part:
        asked = ModelName.parse(info.name)
        file = f"heads/{asked.file}" if asked.file else run.result.network

        def make() -> tuple[bytes, Sentence]:
            made = making.make(run, store, info.name, self.form)
            return made.content, told(made)

        return Part(
            f"-{Path(asked.file).stem if asked.file else 'model'}{self.ending}",
            Sentence(self.title.template, model=info.title),
            read=lambda: make()[0],
            check=lambda: prediction.checked_file(run, file, store.folder),
            make=make,
        )


class Onnx(Portable):
    """ONNX: networks, and every head that ships with the part of the network below it in one file."""

    name, form, ending = "onnx", "onnx", ".onnx"
    title = Sentence("{model}: ONNX")


class Lite(Portable):
    """TFLite: networks and heads of dense layers, for phones; float32, or 8-bit integers at a quarter of the size."""

    def __init__(self, form: Form) -> None:
        int8 = form == "tflite_int8"
        self.name = self.form = form  # type: ignore[misc]
        self.ending = "-int8.tflite" if int8 else ".tflite"  # type: ignore[misc]
        self.title = Sentence("{model}: TFLite, 8-bit integers") if int8 else Sentence("{model}: TFLite")  # type: ignore[misc]

    def has(self, run: Run, info: PredictorInfo) -> bool:
        file = ModelName.parse(info.name).file
        return not file or next(row.head for row in run.result.heads if row.file == f"heads/{file}") in LITE_HEADS


class WebPage(Portable):
    """One HTML file that answers in a browser, offline: of models that read images."""

    name, form, ending = "html", "html", ".html"
    title = Sentence("{model}: one web page that runs by itself")

    def has(self, run: Run, info: PredictorInfo) -> bool:
        form = info.form
        return form.modality in PICTURES and form.dtype == "uint8" and form.shape[2] in (1, 3)


def told(made: Made) -> Sentence:
    """Return what trying a file gave, with its size."""
    values = {
        "mb": f"{len(made.content) / 1e6:.2f}",
        "n": made.n,
        "accuracy": percent(made.accuracy),
        "original": percent(made.original),
    }
    if made.original - made.accuracy > LOST:
        return Sentence(
            "{mb} MB. On {n} test images it is right {accuracy} of the time, the model itself {original}: where that "
            "matters, take another form.",
            **values,
        )
    if made.off > making.MOST_OFF:
        return Sentence(
            "{mb} MB. On {n} test images it is right {accuracy} of the time, the model itself {original}.", **values
        )
    return Sentence(
        "{mb} MB. On {n} test images it answers as the model here does, {accuracy} right; the largest difference of a "
        "probability is {off}.",
        off=f"{made.off:.1g}",
        **values,
    )
