"""Pictures that show the same: byte for byte, or nearly so (saved again, scaled, a little brighter).

References
----------
dHash: N. Krawetz, "Kind of Like That" (The Hacker Factor Blog, 2013): a bit for each of 8 × 8 places, whether it is
darker than its neighbour. Two pictures are candidates when at most ``MOST_BITS`` of the 64 bits differ, and twins when
their pixels are near to each other too. On an even ground few pixels say what a picture shows, and a mean over all of
them hides that these differ: so what differs must also be little beside what stands out of the ground.
"""

import hashlib
from functools import cache

import numpy as np
from PIL import Image

MOST_BITS = 6
NEAR = {"photo": 6.0, "image": 2.0}  # mean difference of grey values, of 255
FAINT = 16  # of 255: smaller differences are noise, as JPEG leaves it
MOST_SHARE = 0.2  # of what stands out of the ground: more of it differs only where two pictures show different things
FINE = 48  # pixels a side at which small drawings are held against each other
SIDE = 28  # of the grey thumbnails that are held against each other
MOST_PAIRS = 50_000
AT_ONCE = 200


def grey(item: np.ndarray) -> np.ndarray:
    """Return an item as a grey thumbnail: uint8, shape (28, 28)."""
    if item.shape == (SIDE, SIDE, 1):
        return item[..., 0]
    picture = Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).convert("L")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.uint8)


def fine(item: np.ndarray) -> np.ndarray:
    """Return an item as a grey thumbnail on which a small drawing can be told from another: uint8, (48, 48) at most."""
    picture = Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).convert("L")
    if min(picture.size) > FINE:
        picture = picture.resize((FINE, FINE), Image.Resampling.BOX)
    return np.asarray(picture, np.uint8)


def dhash(item: np.ndarray) -> np.uint64:
    """Return the 64 bits of an item's difference hash.

    Parameters
    ----------
    item : uint8, shape (h, w, 1) or (h, w, 3)
    """
    picture = Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).convert("L")
    small = np.asarray(picture.resize((9, 8), Image.Resampling.BOX), np.int16)  # 8 rows of 9
    return np.packbits((small[:, 1:] > small[:, :-1]).ravel()).view(np.uint64)[0]


def digest(item: np.ndarray) -> np.uint64:
    """Return 64 bits that are the same for the same pixels."""
    return np.frombuffer(hashlib.blake2b(item.tobytes(), digest_size=8).digest(), np.uint64)[0]


def groups(hashes: np.ndarray, digests: np.ndarray, greys: np.ndarray, fines: np.ndarray, near: float) -> np.ndarray:
    """Return the group of twins that each picture belongs to: the position of its first member, its own when alone.

    Parameters
    ----------
    hashes, digests : uint64, shape (n,)
    greys, fines : uint8, shape (n, h, w)
    near : the most that grey values of twins differ by in the mean

    Returns
    -------
    int64, shape (n,)
    """
    parent = np.arange(len(hashes))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    parent[:] = first[inverse]
    singles = np.sort(first)
    flat, drawings = greys.reshape(len(greys), -1), _Drawings(fines)
    n_pairs = 0
    for at in range(0, len(singles), AT_ONCE):
        rows = singles[at : at + AT_ONCE]
        bits = np.bitwise_count(hashes[rows][:, None] ^ hashes[singles[at:]][None])  # (rows, all that come later)
        for i, j in zip(*np.nonzero(bits <= MOST_BITS), strict=True):
            if j <= i:
                continue
            n_pairs += 1
            if n_pairs > MOST_PAIRS:
                break
            one, other = int(rows[i]), int(singles[at + j])
            near_enough = np.abs(flat[one].astype(np.int16) - flat[other]).mean() <= near
            if near_enough and drawings.same(one, other):
                a, b = sorted((top(one), top(other)))
                parent[b] = a
    return np.array([top(i) for i in range(len(parent))], np.int64)


class _Drawings:
    """What stands out of the ground, which most pixels show, in grey pictures: uint8, shape (n, h, w)."""

    def __init__(self, fines: np.ndarray) -> None:
        self.fines = fines
        self.of = cache(self._of)  # only of candidates, and once for each

    def same(self, one: int, other: int) -> bool:
        """Return whether that is the same in two of them but for noise."""
        (first, ink), (second, its_ink) = self.of(one), self.of(other)
        return _above(first - second) <= MOST_SHARE * min(ink, its_ink)

    def _of(self, at: int) -> tuple[np.ndarray, int]:
        grey = self.fines[at]
        drawing = grey.astype(np.int16) - np.int16(np.median(grey))
        return drawing, _above(drawing)


def _above(values: np.ndarray) -> int:
    """Return the sum of what is more than noise."""
    sizes = np.abs(values)
    return int(sizes.sum(where=sizes > FAINT, dtype=np.int64))
