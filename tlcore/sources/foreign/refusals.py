"""Why a stranger's file is refused, and what to do about it, in words that a person who uses Keras knows."""

from typing import Any

from tlcore.errors import DataError
from tlcore.sentences import Sentence

CODE = ("Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
MERGING = ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot")
IN_TURN = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "ConvLSTM2D", "ConvLSTM1D")


def refuse(template: str, **values: object) -> DataError:
    """Return the refusal: what is wrong, then what to do. No full stop at the end."""
    return because(Sentence(template, **values))


def because(reason: Sentence) -> DataError:
    """Return the refusal for a reason."""
    return DataError("This model cannot be used: {reason}.", reason=reason)


def short(value: object, most: int = 40) -> str:
    """Return a value of the file so that a sentence may quote it: printable, and never long."""
    text = ascii(value)[: most + 1]
    return text if len(text) <= most else text[:most] + "…"


def unreadable() -> DataError:
    return refuse("the list of layers inside the file cannot be read. Save the model again with model.save")


def unfit(name: str, kind: str) -> DataError:
    return refuse(
        "its layer {name} ({kind}) does not fit what comes into it. Check the model with model.summary() and save it "
        "again",
        name=name,
        kind=kind,
    )


def bad_setting(key: str, name: str, kind: str, value: Any, error: ValueError) -> DataError:
    if key == "data_format":
        return refuse(
            "its layer {name} wants the channels of an image first. Make the model with channels last, as in "
            "keras.Input((28, 28, 1)), and train it again",
            name=name,
        )
    if key == "activation" and isinstance(value, str):
        return refuse(
            "its layer {name} has the activation {value}, which is not known here. Use another one, such as 'relu'",
            name=name,
            value=short(value),
        )
    if key == "activation":
        own = value.get("config") if isinstance(value, dict) else value
        return refuse(
            "the activation of its layer {name} is a function of your own ({own}). Use one of Keras' own by its name, "
            "such as 'relu'",
            name=name,
            own=short(own if isinstance(own, str) else "a lambda"),
        )
    return refuse(
        "{key} of its layer {name} ({kind}) is {value}, but it must be {good}. Change it and save the model again",
        key=key,
        name=name,
        kind=kind,
        value=short(value),
        good=str(error),
    )


def not_a_chain(where: object) -> DataError:
    return refuse(
        "its layers are not a single chain, as at {where}: each layer must read only the layer before it. Leave out "
        "skip connections and second inputs or outputs",
        where=short(where),
    )


def quantised() -> DataError:
    return refuse(
        "its weights are rounded to a few bits (quantised), which makes them too coarse to go on training. Save the "
        "model before you call model.quantize, and add that file"
    )


def not_keras(name: Any, module: Any, registered: Any, own: bool) -> DataError:
    if own:
        return refuse(
            "it has a layer or function of your own ({name}), and no code of yours is in the file. Use one of Keras' "
            "own layers in its place",
            name=short(name),
        )
    parts = [part for part in (module, name if name != registered else None, registered) if part is not None]
    return refuse(
        "it contains {what}, which is not among the parts of Keras allowed here. Build it from Keras' own layers",
        what=short(".".join(map(str, parts))),
    )


def unknown_layer(kind: str) -> DataError:
    """Return the refusal of a type of layer, with what to use in its place."""
    if kind in CODE:
        return refuse(
            "its {kind} layer contains code, and code in a file is never run. Use a layer that says what it does, such"
            " as Rescaling, Reshape or Activation",
            kind=kind,
        )
    if kind in MERGING:
        return not_a_chain(kind)
    if kind in IN_TURN:
        return refuse(
            "its {kind} layer reads an image line by line, but here a layer must see all of it. Use Conv2D, pooling "
            "and Dense layers",
            kind=kind,
        )
    return refuse(
        "it has a layer of type {kind}, which cannot be frozen and trained here. Use convolutions, pooling, "
        "normalisation, dropout and Dense layers",
        kind=short(kind),
    )
