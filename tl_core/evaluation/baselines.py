"""Features that do not see: what colours and edges alone tell. A network has to beat them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> (64,): 16 bins per RGB channel and 16 of the brightness, as parts of 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    planes = (np.dstack([image, grey]) >> 4).reshape(-1, 4)
    return np.concatenate([np.bincount(plane, minlength=16) / len(planes) for plane in planes.T])


def hog(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> (4356,): 9 directions in 12 x 12 cells of 8 px, blocks of 2 x 2 cells, at 96 px.

    Source: Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", CVPR.
    """
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (96, 96), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.HOGDescriptor((96, 96), (16, 16), (8, 8), (8, 8), 9).compute(small)).ravel()


BASELINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"hog": hog, "colour": colour_histogram}
