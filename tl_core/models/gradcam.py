"""Where in a picture a network sees a class: Grad-CAM at the last place whose map reaches the classes.

Source: Selvaraju et al. 2017, "Grad-CAM", arXiv:1610.02391.
Behind a mean pool and one Linear layer (EfficientNet, ResNet) the map is exact: its places add up to
the class's score without the bias, so a value is "this much of the score comes from here". A ViT's
blocks mix places, so there it is the usual first-order estimate, on the map of its tokens.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tl_core.models.backbone import TransferModel


def gradcam(model: TransferModel, x: Tensor, target: int) -> np.ndarray:
    """What speaks for class `target` in each place, in units of its score; what speaks against it is 0.

    Works on frozen backbones, since the gradient is that of the activations. The model is shared by all
    browsers: nothing is hooked into it, and its parameters get no gradients.

    Shapes: x (B, 3, H, W) float32, normalised -> (B, h, w) float32, >= 0; h = H/32, of ViT/16 H/16.
    """
    station = model.cam_station
    with torch.no_grad():
        reached = model.forward_until(x, station)
    with torch.enable_grad():
        activations = reached.detach().requires_grad_(True)
        scores = model.forward_from(activations, station)[:, target]
        (gradients,) = torch.autograd.grad(scores.sum(), activations)
    seen, slope = (model.to_map(values, station) for values in (activations.detach(), gradients))
    assert seen is not None and slope is not None, "a family's cam_station has a map"
    heat = (slope.mean(dim=(2, 3), keepdim=True) * seen).sum(dim=1)
    return heat.clamp(min=0).float().cpu().numpy()


def enlarge(heat: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """(h, w) -> (height_px, width_px) float32, smooth between the places; never below 0."""
    import cv2

    grown = cv2.resize(heat.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.maximum(grown, 0)
