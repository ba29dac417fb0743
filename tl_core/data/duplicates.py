"""Near-duplicates: bursts, re-saved and slightly turned copies of one photograph."""

from __future__ import annotations

from collections.abc import Iterable

import imagehash
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HASH_SIDE = 16
MAX_BITS = 20


def near_duplicate_groups(images: Iterable[np.ndarray]) -> np.ndarray:
    """(N,) int64"""
    bits = np.array([imagehash.phash(Image.fromarray(image), HASH_SIDE).hash.ravel() for image in images])
    packed = np.packbits(bits, axis=1).view(np.uint64)
    rows, columns = [], []
    for start in range(0, len(packed), 256):
        distance = np.bitwise_count(packed[start : start + 256, None] ^ packed[None]).sum(axis=2)
        row, column = np.nonzero(distance <= MAX_BITS)
        rows.append(row + start)
        columns.append(column)
    at = (np.concatenate(rows), np.concatenate(columns))
    graph = coo_array((np.ones(len(at[0]), dtype=bool), at), shape=(len(packed), len(packed)))
    return connected_components(graph, directed=False)[1].astype(np.int64)
