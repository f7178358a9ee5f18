"""What stands in front of a network inside the model: it reads items as stored and scales them itself."""

from typing import TYPE_CHECKING

from tlcore.spec import InputForm

from .layers import SCALING, applied, calls, front

if TYPE_CHECKING:
    import keras

UNIT = 1 / 255  # pixels 0..255 become 0..1


def reads(model: "keras.Model", form: InputForm) -> bool:
    """Whether a model reads items as stored. One that an older version saved reads floats, and nothing scales them."""
    return model.inputs[0].dtype == form.dtype


def scaled(model: "keras.Model", form: InputForm, scale: float = UNIT) -> "keras.Model":
    """Return ``model`` reading items of ``form`` as stored, multiplied by ``scale`` before its network proper.

    A scaling that ``model`` begins with is replaced, so that nothing is scaled twice; where it reads items as stored
    and begins with none, it stays as it is. The layers are the same objects: their weights are shared, not copied.
    """
    import keras

    taken = {call.operation.name for call in calls(model)}
    item = x = keras.Input(form.shape, dtype=form.dtype, name="item")
    rest = model.inputs[0]
    if reads(model, form):
        before = calls(model)[: len(front(model))]
        first = next((call for call in before if type(call.operation).__name__ in SCALING), None)
        if first is None:
            return model
        if first.input_tensors[0] is not rest:  # something that only places the numbers comes before
            x = applied(model, item, rest, first.input_tensors[0])
        rest = first.output_tensors[0]
    name = next(name for name in ("rescaling", "item_rescaling", "item_scaling") if name not in taken)
    x = keras.layers.Rescaling(scale, name=name)(x)
    return keras.Model(item, applied(model, x, rest, model.outputs[0]), name=model.name)


def proper(model: "keras.Model") -> "keras.Model":
    """Return ``model`` without what prepares its items: the network proper, on the numbers that it was trained on."""
    import keras

    n = len(front(model))
    return keras.Model(calls(model)[n - 1].output_tensors[0], model.outputs[0]) if n else model
