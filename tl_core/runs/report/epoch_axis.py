"""The axis on which the epochs of all stages stand one after the other, as each stage counts its own.

What is said of an epoch ("the best was epoch 7") counts from its stage's beginning, so the marks do too.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_MARKS = 12


def marks(lengths: Sequence[int], most: int = MOST_MARKS) -> tuple[list[int], list[str]]:
    """(places on the axis, what is written there), for stages of `lengths` epochs: 1, 2, 3, 1, 2 …"""
    step = whole_step(sum(lengths), most)
    places, words, before = [], [], 0
    for length in lengths:
        own = range(step, length + 1, step) or range(length, length + 1)
        places += [before + epoch for epoch in own if epoch]
        words += [str(epoch) for epoch in own if epoch]
        before += length
    return places, words


def whole_step(highest: float, most: int = 6) -> int:
    """Between two marks of an axis that counts: a whole number, so that none is written twice."""
    step = 1
    while highest / step > most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step
