"""A model as a TFLite file, for phones: one item as stored goes in, as float32; probabilities come out.

Its labels and its card lie behind it as a ZIP, as TFLite metadata does it: ``unzip`` shows them, and what runs the
model does not see them.
"""

import io
import json
import zipfile

import numpy as np

from tlcore.errors import DataError
from tlcore.prediction import Pieces

from . import graphs

INPUT, OUTPUT = "image", "probabilities"


def convert(pieces: Pieces, card: dict[str, str], calibration: np.ndarray | None = None) -> bytes:
    """Return the file's content.

    Parameters
    ----------
    calibration : items by which weights and activations become 8-bit integers; None: they stay float32

    Raises
    ------
    DataError
        The head is not one of dense layers.
    """
    import tensorflow as tf

    if pieces.head is not None and graphs.dense_layers(pieces.head) is None:
        raise DataError("TFLite holds networks and heads of dense layers only. Take the ONNX file.")
    function = graphs.whole(pieces)
    assert function is not None
    signature = tf.TensorSpec((1, *pieces.form.shape), tf.float32, name=INPUT)
    traced = tf.function(lambda image: {OUTPUT: function(image)}, input_signature=[signature], autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()])
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([np.float32(item[None])] for item in calibration)
    behind = io.BytesIO()
    with zipfile.ZipFile(behind, "w") as archive:
        archive.writestr("labels.txt", "\n".join(pieces.class_names) + "\n")
        archive.writestr("card.json", json.dumps(card, indent=2, ensure_ascii=False))
    return converter.convert() + behind.getvalue()


def answer(content: bytes, items: np.ndarray) -> np.ndarray:
    """Return what the file answers in TFLite's interpreter: float32 (n, n_classes)."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    [into], [out] = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for item in items:
        interpreter.set_tensor(into["index"], np.float32(item[None]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(out["index"])[0])
    return np.stack(answers)
