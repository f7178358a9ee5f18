"""The colours of everything that is drawn, each with one meaning on all pages; style sheets take theirs from here."""

from collections.abc import Sequence

# Blue is frozen and orange trainable, on a light ground and on a dark one: nothing else has these.
FROZEN, FROZEN_DARK = "#0072B2", "#56B4E9"
TRAINABLE, TRAINABLE_DARK = "#D55E00", "#E69F00"
# What went wrong: red, for Okabe and Ito's vermilion is the orange of what trains.
FAILED, FAILED_DARK = "#9C1C1C", "#FF9C9C"

# Of runs, heads, lanes and classes. Told apart with every common colour blindness, and from both themes' grounds.
COLOURS = ("#009E73", "#CC79A7", "#B8A500", "#8C8C8C", "#7B5EA7", "#8A4B2D", "#C2185B", "#5F8F2F")
GREEN, PINK, OLIVE, GREY, PURPLE, BROWN, CRIMSON, MOSS = COLOURS
MARK = CRIMSON  # what was picked, or is pointed at; GREY is what there is to compare with: guessing, the ideal, before

# A way to learn has its colour wherever it stands: what a sweep, a comparison and a race call it.
WAYS = {
    "linear_svm": GREEN,
    "scratch": PINK,
    "fine_tune": OLIVE,
    "random_forest": PURPLE,
    "rbf_svm": BROWN,
    "logistic_regression": MOSS,
    "knn": CRIMSON,
    "dense": GREY,
    "convolutions": OLIVE,  # frozen: the fine-tuning that Train offers first
    "nothing": PURPLE,
    "all_but_head": BROWN,
    "draft": MOSS,
    "healthy": OLIVE,
    "broken": CRIMSON,
}
_FREE = (PURPLE, BROWN, MOSS, CRIMSON, GREEN, OLIVE, GREY, PINK)


def of_ways(ways: Sequence[str]) -> list[str]:
    """Return a colour for each of several lines on one chart: its way's own, another where that is taken or unknown.

    Examples
    --------
    >>> of_ways(["scratch", "fine_tune", "fine_tune"]) == [PINK, OLIVE, PURPLE]
    True
    >>> of_ways(["", "scratch"]) == [PURPLE, PINK]
    True
    """
    own = [WAYS.get(way) if ways.index(way) == i else None for i, way in enumerate(ways)]
    own = [colour if colour not in own[:i] else None for i, colour in enumerate(own)]
    free = [colour for colour in _FREE if colour not in own] or list(_FREE)
    others = iter(free * len(ways))
    return [colour or next(others) for colour in own]


def sheet() -> str:
    """Return these colours as a style sheet's variables, for the page and for every component in it."""
    pairs = {
        "frozen": (FROZEN, FROZEN_DARK),
        "trainable": (TRAINABLE, TRAINABLE_DARK),
        "failed": (FAILED, FAILED_DARK),
    }
    themed = [f"--tl-{name}: light-dark({light}, {dark})" for name, (light, dark) in pairs.items()]
    plain = [f"--tl-transfer: {WAYS['linear_svm']}", f"--tl-scratch: {WAYS['scratch']}", f"--tl-compared: {GREY}"]
    return ":root {" + "; ".join([*themed, *plain]) + "}\n"
