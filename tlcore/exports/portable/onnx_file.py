"""A model as an ONNX file: items as stored go in, as "image"; probabilities come out."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from tlcore.errors import DataError
from tlcore.prediction import Pieces

from . import graphs

OPSET = 18
INPUT, OUTPUT = "image", "probabilities"
_FEATURES = "features"


def convert(pieces: Pieces, card: dict[str, str]) -> bytes:
    """Return the file's content; ``card`` becomes its metadata.

    Raises
    ------
    DataError
        The head has no form in ONNX.
    """
    function = graphs.whole(pieces)
    if function is not None:
        model = _from_tensorflow(function, pieces, OUTPUT)
    else:
        model = _joined(_from_tensorflow(graphs.prepared(pieces), pieces, _FEATURES), pieces)
    helper.set_model_props(model, card)
    return model.SerializeToString()


def answer(content: bytes, items: np.ndarray) -> np.ndarray:
    """Return what the file answers in onnxruntime: float32 (n, n_classes)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run([OUTPUT], {INPUT: items[i : i + 100]})[0] for i in range(0, len(items), 100)])


def _from_tensorflow(function: graphs.Function, pieces: Pieces, output: str) -> Any:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *pieces.form.shape), pieces.form.dtype, name=INPUT)]
    traced = tf.function(
        lambda image: {output: function(tf.cast(image, tf.float32))}, input_signature=signature, autograph=False
    )
    model, _storage = tf2onnx.convert.from_function(traced, input_signature=signature, opset=OPSET)
    return model


def _joined(before: Any, pieces: Pieces) -> Any:
    """Return what comes before the estimator, the estimator, and the softmax behind it, as one graph."""
    from onnx import compose

    head = pieces.head
    assert head is not None
    estimator = _estimator(head.estimator, before.graph.output[0].type.tensor_type.shape.dim[1].dim_value)
    estimator.ir_version = before.ir_version
    _tidy_domains(before)
    _tidy_domains(estimator)
    del estimator.graph.output[0]  # the label: the largest probability says it
    scores = estimator.graph.output[0].name
    model = compose.merge_models(
        before,
        compose.add_prefix(estimator, "head_"),
        io_map=[(_FEATURES, "head_" + estimator.graph.input[0].name)],
    )
    scores, shape = f"head_{scores}", [None, len(pieces.class_names)]
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape))
    if hasattr(head.estimator, "decision_function"):
        model.graph.initializer.append(helper.make_tensor("head_t", TensorProto.FLOAT, [1], [graphs.temperature(head)]))
        model.graph.node.append(helper.make_node("Div", [scores, "head_t"], ["head_cooled"]))
        model.graph.node.append(helper.make_node("Softmax", ["head_cooled"], [OUTPUT], axis=1))
    else:
        model.graph.node.append(helper.make_node("Identity", [scores], [OUTPUT]))
    return model


def _tidy_domains(model: Any) -> None:
    """Have a model name each domain of operators once, and none that it does not use."""
    used = {node.domain for node in model.graph.node}
    versions = {entry.domain: entry.version for entry in model.opset_import if entry.domain in used}
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())


def _estimator(estimator: Any, n_features: int) -> Any:
    """Return a scikit-learn classifier in ONNX: decision values where it has them, else probabilities."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.common.exceptions import MissingShapeCalculator

    raw = {"raw_scores": True} if hasattr(estimator, "decision_function") else {}
    try:
        return to_onnx(
            estimator,
            initial_types=[("features", FloatTensorType([None, n_features]))],
            options={id(estimator): {"zipmap": False, **raw}},
            target_opset=OPSET,
        )
    except (MissingShapeCalculator, NameError, NotImplementedError, RuntimeError) as error:
        raise DataError("There is no form of {kind} in ONNX.", kind=type(estimator).__name__) from error
