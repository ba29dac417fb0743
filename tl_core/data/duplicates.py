"""Near-duplicates: bursts, re-saved, slightly turned, quarter-turned and mirrored copies.

Perceptual hashes of 16 x 16 bits (ImageHash's phash; the usual 8 x 8 sees every casting as the
same bright disc), each picture in its eight orientations. At most MAX_BITS of 256 differing bits
count as a copy. Measured on three real sets, pairs looked at on contact sheets:

    bits   castings (715)                             faces (500)   steel (360)
    <= 16   121 pairs, largest chain  14               none          none
    <= 20   202 pairs, largest chain  16               none          none
    <= 24   309 pairs, largest chain  21               none          none
    <= 28   483 pairs, largest chain  22, look-alikes  none          none
    <= 36  1038 pairs, largest chain 258, look-alikes  none          none

Of 24 turned or mirrored pairs of defective castings at <= 24 bits, all showed one part with the
same flaws, and so did the four largest groups; sound castings bear fewer marks, and some pairs
there may be two parts in the same light (one of the 309 pairs joins the two classes). Only 44 of
the 309 are upright, hence the eight orientations.

Of copies made on purpose of every fifth picture, these shares were found (castings, faces, steel):
quarter turns 1, 1, 1; JPEG at quality 30 1, 1, 0.89; half size 1, 1, 1; 25 % brighter 1, 1, 0.78;
a turn of 1 degree 1, 1, 0.96; of 2 degrees 1, 0.6, 0.12. Crops of 2 % and more, shifts and shears
are as good as never found: of the castings' sheared copies and of the steel strip's neighbouring
crops most stay unnoticed. What is reported is a lower bound.

A group is never cut, however large: in a burst or a video each picture resembles the one before, and half of
it in training would make the other half an easy test. Where that leaves few groups, the split and the
intervals say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import imagehash
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HASH_SIDE = 16
MAX_BITS = 24

_BLOCK = 64
# rows of the distance matrix at a time; 10 MB for 20,000 pictures


def near_duplicate_groups(images: Iterable[np.ndarray], *, max_bits: int = MAX_BITS) -> np.ndarray:
    """Number the groups: pictures that share a number are copies of one another, or joined by others.

    Shapes: N of uint8 (H, W, 3) -> int64 (N,), numbered from 0. Time grows with N squared, but
    20,000 pictures take under a minute on one core.
    """
    return groups_of_hashes([picture_hashes(image) for image in images], max_bits=max_bits)


def groups_of_hashes(each: Sequence[np.ndarray], *, max_bits: int = MAX_BITS) -> np.ndarray:
    """As `near_duplicate_groups`, of what `picture_hashes` gave for each picture."""
    if not len(each):
        return np.empty(0, np.int64)
    hashes = np.array(each)  # (N, 8, words)
    # Identical pictures (blank ones, say) are compared once, however many there are.
    _, first, where = np.unique(hashes[:, 0], axis=0, return_index=True, return_inverse=True)
    rows, columns, _ = _close_pairs(hashes[first], max_bits)
    return _components(rows, columns, len(first))[where.ravel()].astype(np.int64)


def joined(groups: np.ndarray, names: Sequence[str | None]) -> np.ndarray:
    """Groups that also hold pictures of one name together. groups: int (N,). names: N, None = no name."""
    known = {name: number for number, name in enumerate(dict.fromkeys(filter(None, names)))}
    if not known:
        return groups
    num = len(groups)
    named = [i for i, name in enumerate(names) if name]
    centre = np.concatenate([num + groups, [num + groups.max() + 1 + known[str(names[i])] for i in named]])
    rows = np.concatenate([np.arange(num), named])
    together = _components(rows, centre, num + int(groups.max()) + 1 + len(known))[:num]
    return np.unique(together, return_inverse=True)[1].astype(np.int64)


def picture_hashes(image: np.ndarray) -> np.ndarray:
    """(8, words) uint64: the hash of a picture in its four quarter turns, plain and mirrored."""
    side = 4 * HASH_SIDE  # what phash works on, so that it need not resize eight times
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_AREA)
    turned = [np.rot90(face, turns) for face in (small, small[:, ::-1]) for turns in range(4)]
    bits = [imagehash.phash(Image.fromarray(np.ascontiguousarray(one)), HASH_SIDE).hash for one in turned]
    return np.packbits(np.reshape(bits, (8, -1)), axis=1).view(np.uint64)


def _close_pairs(hashes: np.ndarray, max_bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, columns, differing bits) of all pairs row < column within `max_bits`, in any orientation."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16))]
    for start in range(0, len(hashes), _BLOCK):
        upright = hashes[start : start + _BLOCK, 0]
        others = hashes[start:]
        nearest = np.full((len(upright), len(others)), np.iinfo(np.uint16).max, np.uint16)
        for orientation in range(hashes.shape[1]):
            distance = np.zeros_like(nearest)
            for word in range(hashes.shape[2]):
                differing = upright[:, word, None] ^ others[None, :, orientation, word]
                distance += np.bitwise_count(differing)
            np.minimum(nearest, distance, out=nearest)
        row, column = np.nonzero(np.triu(nearest <= max_bits, k=1))
        found.append((row + start, column + start, nearest[row, column]))
    rows, columns, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, bits


def _components(rows: np.ndarray, columns: np.ndarray, count: int) -> np.ndarray:
    """(count,) number of the connected component of each node."""
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1]
