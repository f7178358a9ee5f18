"""Source networks as their cards tell them: the layers, and where the weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from .forms import InputForm


@dataclass(frozen=True)
class LayerInfo:
    """One layer as the pages show it.

    ``n_weights`` counts single numbers (parameters), all of them, trainable or not;
    ``flops`` counts multiply-adds of one image's forward pass;
    ``cut`` says that the layer's output alone separates what comes before it from what comes after;
    ``block`` names the group of layers that are frozen together, "" for a layer that stands by itself;
    ``random`` marks a layer that answers differently in training than in inference even when it is frozen.
    """

    index: int
    name: str
    type: str  # Keras class name: Conv2D, MaxPooling2D, ...
    output_shape: tuple[int, ...]  # without the batch axis
    n_weights: int
    flops: int = 0
    cut: bool = True
    block: str = ""
    random: bool = False

    @property
    def can_freeze(self) -> bool:
        return self.n_weights > 0


@dataclass(frozen=True)
class OwnModel:
    """What was seen when a person's own model was added.

    ``pixels`` is what the network itself is given for a black and for a white pixel: its stored file begins with the
    layers that make that of values from 0 to 1. ``expected`` is what its first layer asks for, or 0 and 1; where the
    two differ, more digits were read with ``pixels``. Of ``n_digits`` known digits it read ``n_right``, and
    ``n_right_as_expected`` with what was expected.
    """

    pixels: tuple[float, float] = (0.0, 1.0)
    expected: tuple[float, float] = (0.0, 1.0)
    n_digits: int = 0  # 0: its classes are not digits
    n_right: int = 0
    n_right_as_expected: int = 0
    changes: tuple[str, ...] = ()  # made to it on the way: "softmax" added, "random" layers left out


@dataclass(frozen=True)
class SourceInfo:
    """A source model's card."""

    name: str
    title: str
    dataset: str  # what it was trained on, in words; "" for random init
    class_names: tuple[str, ...]
    layers: tuple[LayerInfo, ...]
    form: InputForm  # of what it reads
    seed: int
    accuracy: float | None  # on the source's own test images, in [0, 1]; None for random init
    n_train: int
    n_test: int
    rebuild: str  # the command that makes the file again
    sha256: str = ""
    note: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)  # further accuracies, by what was measured
    owner: str = ""  # the person who uploaded it; "" is everybody's
    removed: bool = False  # an uploaded one that is no longer offered
    own: OwnModel | None = None  # of an uploaded one
    task: str = ""  # the data set it was trained on, as in ``datasets``; "" where it is none of those
    untrained: str = "random"  # the source that is this network before it learned anything: what trains from scratch
    run: str = ""  # of one that was trained here: the id of the run that trained it
    base: str = ""  # and the source that this run began with

    @property
    def trained(self) -> bool:
        """Whether it has learned anything, so that its own answers say something."""
        return bool(self.sha256) or self.accuracy is not None

    @property
    def answers(self) -> bool:
        """Whether it names classes itself; a backbone without its last layer names none."""
        return self.trained and bool(self.class_names)

    @property
    def n_weights(self) -> int:
        return sum(layer.n_weights for layer in self.layers)

    def layers_for(self, n_classes: int) -> tuple[LayerInfo, ...]:
        """Return the layers of the network that trains on so many classes: the last one is a new dense layer.

        Examples
        --------
        >>> conv = LayerInfo(0, "conv", "Conv2D", (8,), 100, flops=900)
        >>> head = LayerInfo(1, "answer", "Dense", (5,), 45, flops=40)
        >>> card = SourceInfo("a", "A", "", (), (conv, head), InputForm("image", (9, 9, 1)), 0, None, 0, 0, "")
        >>> card.layers_for(10)[1].n_weights, card.layers_for(5) == card.layers
        (90, True)
        """
        *before, last = self.layers
        if last.type == "Dense" and last.output_shape:
            n_inputs = last.flops // last.output_shape[-1]
        else:
            n_inputs = prod(before[-1].output_shape) if before else 0
        head = replace(
            last,
            type="Dense",
            output_shape=(n_classes,),
            n_weights=(n_inputs + 1) * n_classes,
            flops=n_inputs * n_classes,
            random=False,
        )
        return (*before, head)

    @property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers)

    @property
    def cut_names(self) -> tuple[str, ...]:
        """The layers after which the network can be cut in two: all of a chain, the ends of the blocks elsewhere."""
        return tuple(layer.name for layer in self.layers if layer.cut)
