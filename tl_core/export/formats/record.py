"""What the workflow knows of a format; everything else about it stays in its own module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tl_core.export.pictures import CheckPictures
    from tl_core.export.subject import Subject

Ask = Callable[[np.ndarray], np.ndarray]
"""Squares (N, px, px, 3) uint8 -> probabilities (N, C)."""


@dataclass(frozen=True, kw_only=True)
class Format:
    name: str
    models: tuple[str, ...]
    # the files that hold the weights; they take a telling name when the check fails
    make: Callable[[Subject, Path, dict[str, Any]], None]
    # writes all files but the card into an empty folder; the options are the format's own
    answer: Callable[[Path, CheckPictures], np.ndarray]
    # the folder's answers to the pictures, by its own runtime: (N, C) probabilities
    runtime: Callable[[], str]
    # what `answer` ran in, with version
    open: Callable[[Path], Ask] | None = None
    # the bare network in this process, to take its time; None: only `answer` can be asked
    is_exact: bool = True
    # True: every label as the run's, and no probability further off than TOLERANCE.
    # False: the labels mostly, and the accuracy not significantly lower
    read: Callable[[CheckPictures, Subject], np.ndarray] | None = None
    # (N, px, px, 3) uint8 as it decodes and resizes the files itself; None: it is given squares
    needs: tuple[str, ...] = ()
    # packages beyond the app's own, as pip calls them
    usage: str = ""
    # how it is used, as a block of code
