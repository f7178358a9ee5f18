"""Pictures that show the same: byte for byte, or nearly so (saved again, scaled, a little brighter).

References
----------
dHash: N. Krawetz, "Kind of Like That" (The Hacker Factor Blog, 2013): a bit for each of 8 × 8 places, whether it is
darker than its neighbour. Two pictures are candidates when at most ``MOST_BITS`` of the 64 bits differ, and twins when
their pixels are near to each other too.
"""

import hashlib

import numpy as np
from PIL import Image

MOST_BITS = 6
NEAR = {"photo": 6.0, "image": 2.0}  # mean difference of grey values, of 255
SIDE = 28  # of the grey thumbnails that are held against each other
MOST_PAIRS = 50_000
AT_ONCE = 200


def grey(item: np.ndarray) -> np.ndarray:
    """Return an item as a grey thumbnail: uint8, shape (28, 28)."""
    if item.shape == (SIDE, SIDE, 1):
        return item[..., 0]
    picture = Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).convert("L")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.uint8)


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


def groups(hashes: np.ndarray, digests: np.ndarray, greys: np.ndarray, near: float) -> np.ndarray:
    """Return the group of twins that each picture belongs to: the position of its first member, its own when alone.

    Parameters
    ----------
    hashes, digests : uint64, shape (n,)
    greys : uint8, shape (n, 28, 28)
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
    flat = greys.reshape(len(greys), -1)
    n_pairs = 0
    for at in range(0, len(singles), AT_ONCE):
        rows = singles[at : at + AT_ONCE]
        bits = np.bitwise_count(hashes[rows][:, None] ^ hashes[singles[at:]][None])  # (rows, all that come later)
        for i, j in zip(*np.nonzero(bits <= MOST_BITS), strict=True):
            if j <= i or n_pairs >= MOST_PAIRS:
                continue
            n_pairs += 1
            one, other = int(rows[i]), int(singles[at + j])
            if np.abs(flat[one].astype(np.int16) - flat[other]).mean() <= near:
                a, b = sorted((top(one), top(other)))
                parent[b] = a
    return np.array([top(i) for i in range(len(parent))], np.int64)
