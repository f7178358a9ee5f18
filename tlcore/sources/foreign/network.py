"""The nouns: a network of a foreign file, every setting of it checked, and what it takes for an image."""

from dataclasses import dataclass
from math import prod

from .layers import Settings, Shape

Pixels = tuple[float, float]  # what a network is given for a black and for a white pixel
UNIT, BYTES = (0.0, 1.0), (0.0, 255.0)
SIDE = 28  # of the app's images

# Changes that are made on the way, each told on the card.
SOFTMAX, RANDOM_OUT = "softmax", "random"


@dataclass(frozen=True)
class Layer:
    """One layer, its settings plain values that were checked one by one."""

    type: str
    name: str
    settings: Settings
    output_shape: Shape  # without the batch axis
    weights: tuple[Shape, ...] = ()
    multiply_adds: int = 0
    path: str = ""  # of its weights in the weights file

    @property
    def n_weights(self) -> int:
        return sum(map(prod, self.weights))


@dataclass(frozen=True)
class Network:
    """A chain of layers that ends in a Dense layer with softmax.

    ``input_shape`` is the shape of one image as the first layer takes it, ``channels`` and ``side`` the picture in it.
    """

    input_shape: Shape
    side: tuple[int, int]
    channels: int
    layers: tuple[Layer, ...]
    pixels: Pixels | None = None  # what the first layer expects; None: it does not say
    changes: tuple[str, ...] = ()

    @property
    def n_weights(self) -> int:
        return sum(layer.n_weights for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def n_classes(self) -> int:
        return self.layers[-1].output_shape[0]
