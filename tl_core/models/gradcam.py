"""Where in a picture a network sees a class: Grad-CAM at the last convolution.

Source: Selvaraju et al. 2017, "Grad-CAM", arXiv:1610.02391; computed by captum's LayerGradCam.
Behind a mean pool and one Linear layer, as here, the map is exact: its places add up to the class's
score without the bias, so a value is "this much of the score comes from here".
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from tl_core.models.backbone import TransferModel

LAYER = "head_conv"


def gradcam(model: TransferModel, x: Tensor, target: int) -> np.ndarray:
    """What speaks for class `target` in each place, in units of its score; what speaks against it is 0.

    Works on frozen backbones, since the input asks for gradients. The model is shared by all browsers and
    captum hooks into it, so a copy is explained: another thread's forward pass would run into the hook.

    Shapes: x (B, 3, H, W) float32, normalised -> (B, H/32, W/32) float32, >= 0.
    """
    from captum.attr import LayerGradCam

    own = copy.deepcopy(model).eval().requires_grad_(False)
    method = LayerGradCam(own, own.part_modules(LAYER)[-1])
    inputs = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        maps = method.attribute(inputs, target=target, relu_attributions=True)
    assert isinstance(maps, Tensor)
    return maps.detach()[:, 0].float().cpu().numpy()


def enlarge(heat: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """(h, w) -> (height_px, width_px) float32, smooth between the places; never below 0."""
    import cv2

    grown = cv2.resize(heat.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.maximum(grown, 0)
