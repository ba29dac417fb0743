"""Count the networks of the guide's table and keep it: `python scripts/count_models.py`.

Parameters are counted on timm's modules, on torch's meta device, so nothing is downloaded. The published
accuracy is what torchvision states for its IMAGENET1K_V1 weights, read from the installed package. Both go
to tl_ui/lesson/steps/models.json; a test counts again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tl_ui.lesson.steps.which_model import FILE, count

MODELS = {
    # name in the guide: timm's name, torchvision's weights, what the guide says (millions, percent)
    "ResNet-18": ("resnet18", "ResNet18_Weights", 11, 69.8),
    "ResNet-50": ("resnet50", "ResNet50_Weights", 25, 76.1),
    "EfficientNet-B0": ("efficientnet_b0", "EfficientNet_B0_Weights", 5.3, 77.7),
    "EfficientNet-B7": ("efficientnet_b7", "EfficientNet_B7_Weights", 66, 84.4),
    "ViT-Base": ("vit_base_patch16_224", "ViT_B_16_Weights", 86, 81.8),
}


def rows() -> list[dict[str, Any]]:
    from torchvision import models

    found = []
    for name, (timm_name, weights_name, guide_millions, guide_top1) in MODELS.items():
        meta = getattr(models, weights_name).IMAGENET1K_V1.meta
        found.append(
            {
                "name": name,
                "timm": timm_name,
                "parameters": count(timm_name),
                "top1": meta["_metrics"]["ImageNet-1K"]["acc@1"],
                "gflops": meta["_ops"],
                "source": f"torchvision {weights_name}.IMAGENET1K_V1",
                "guide_millions": guide_millions,
                "guide_top1": guide_top1,
            }
        )
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(rows(), indent=1) + "\n", encoding="utf-8")
