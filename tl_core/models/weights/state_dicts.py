"""Reading weight files: safetensors or state dicts, whoever wrote them, into one set of names.

The common language is timm's: conv_stem, bn1, blocks.I.J.…, conv_head, bn2, classifier. `backbone` is
timm's name of the network that a file must fit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.base.errors import WeightsMismatch, WeightsUnavailable
from tl_core.base.files.paths import is_file
from tl_core.models.families.registry import architecture
from tl_core.models.weights.record import B0

if TYPE_CHECKING:
    from torch import Tensor

HEAD = ("classifier.weight", "classifier.bias")

_WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema", "net", "weights")
# what training programs call the entry that holds the tensors
_PREFIXES = ("module.", "model.", "backbone.", "_orig_mod.", "net.", "encoder.")
# DataParallel, wrappers, our own and others' classifiers, torch.compile
_HEAD_KEY = re.compile(r"(?:classifier|_?fc|head)(?:\.(\d+))?\.(weight|bias)")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, source: str, backbone: str = B0) -> dict[str, Tensor]:
    """The tensors of a file under timm's names, in float32, checked against the network `backbone`.

    A head of any number of classes may be there or not. BatchNorm counters that are missing are
    zeros (old files have none; nothing uses them).

    Raises: WeightsUnavailable: file_missing, file_damaged or unsafe_file.
        WeightsMismatch: tensors missing, left over or of the wrong shape; the first few are named.
    """
    return fit(to_timm(_open(path, source), backbone), source, backbone)


def _open(path: Path, source: str) -> dict[str, Tensor]:
    """What the file says, untouched but for wrappers around the tensors."""
    if not is_file(path):
        raise WeightsUnavailable(source=source, reason="file_missing", detail=path)
    try:
        with path.open("rb") as file:
            start = file.read(9)
        if start[8:] == b"{":  # safetensors: eight bytes of length, then a JSON header
            from safetensors.torch import load_file

            return load_file(path)
        import torch

        # weights_only: a pickle can run any program; this reads tensors and plain containers alone
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise whatever they stumbled over
        detail = f"{path.name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        is_program = "Unsupported global" in str(error) or "GLOBAL" in str(error)
        reason = "unsafe_file" if is_program else "file_damaged"
        raise WeightsUnavailable(source=source, reason=reason, detail=detail[:300]) from None
    tensors = _unwrap(content)
    if not tensors:
        raise WeightsUnavailable(
            source=source, reason="file_damaged", detail=f"{path.name} holds no named tensors"
        )
    return tensors


def _unwrap(content: Any) -> dict[str, Tensor]:
    from torch import Tensor

    for _ in range(4):  # {"model": {"state_dict": …}} and the like; deeper is no habit of anyone's
        if not isinstance(content, Mapping):
            return {}
        inner = next((content[w] for w in _WRAPPERS if isinstance(content.get(w), Mapping)), None)
        if inner is None:
            break
        content = inner
    return {str(k): v for k, v in content.items() if isinstance(v, Tensor)}


def to_timm(tensors: Mapping[str, Tensor], backbone: str = B0) -> dict[str, Tensor]:
    """Prefixes taken off, others' names translated, the head called `classifier`.

    A head of several Linear layers cannot be used and is left out.
    """
    to_ours = {theirs: ours for ours, theirs in _other_names(backbone, tensors)}
    state: dict[str, Tensor] = {}
    heads: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        while prefix := next((p for p in _PREFIXES if key.startswith(p)), None):
            key = key.removeprefix(prefix)
        if head := _HEAD_KEY.fullmatch(key):
            heads.setdefault(head[1] or "", {})[f"classifier.{head[2]}"] = tensor
        else:
            state[to_ours.get(key, key)] = tensor
    if len(heads) == 1:
        state.update(next(iter(heads.values())))
    return state


def _other_names(backbone: str, tensors: Mapping[str, Tensor]) -> Iterable[tuple[str, str]]:
    """(timm's name, theirs), where the file is written in names that we know."""
    if any(key.endswith("_conv_stem.weight") for key in tensors):
        return timm_to_google(backbone).items()
    return timm_to_torchvision().items() if backbone == B0 else ()


def speaks_torchvision(path: Path, source: str) -> bool:
    """Whether the file is written in the names of torchvision's efficientnet_b0, which has no twin.
    Raises: WeightsUnavailable."""
    return any(key.endswith("features.0.0.weight") for key in _open(path, source))


def to_library(state: Mapping[str, Tensor], library: str) -> dict[str, Tensor]:
    """timm's names (with the head called `classifier`) -> the names of `library`'s own network."""
    if library == "timm":
        return dict(state)
    names = {**timm_to_torchvision(), **{key: key.replace("classifier.", "classifier.1.") for key in HEAD}}
    return {names[key]: tensor for key, tensor in state.items()}


@cache
def timm_to_torchvision() -> dict[str, str]:
    """Names of every tensor of the backbone in both libraries, 358 of them.

    torchvision numbers the steps of a block: expand, depthwise, squeeze-excite, project; the blocks
    of group 0 have nothing to expand. timm names them, and numbers their BatchNorms.
    """
    names = {}
    for timm_key in expected_shapes():
        if timm_key in HEAD:
            continue
        module, _, leaf = timm_key.rpartition(".")
        names[timm_key] = f"{_torchvision_module(module)}.{leaf}"
    return names


_OUTER = {"conv_stem": "0.0", "bn1": "0.1", "conv_head": "8.0", "bn2": "8.1"}
_FIRST_GROUP = {
    "conv_dw": "0.0", "bn1": "0.1", "se.conv_reduce": "1.fc1", "se.conv_expand": "1.fc2",
    "conv_pw": "2.0", "bn2": "2.1",
}  # fmt: skip
_LATER_GROUPS = {
    "conv_pw": "0.0", "bn1": "0.1", "conv_dw": "1.0", "bn2": "1.1",
    "se.conv_reduce": "2.fc1", "se.conv_expand": "2.fc2", "conv_pwl": "3.0", "bn3": "3.1",
}  # fmt: skip


def _torchvision_module(module: str) -> str:
    if module in _OUTER:
        return f"features.{_OUTER[module]}"
    _, group, block, step = module.split(".", 3)
    steps = _FIRST_GROUP if group == "0" else _LATER_GROUPS
    return f"features.{int(group) + 1}.{block}.block.{steps[step]}"


_GOOGLE_OUTER = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
_GOOGLE_EXCITE = {"se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
_GOOGLE_WIDENING = {
    "conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1",
    "conv_pwl": "_project_conv", "bn3": "_bn2", **_GOOGLE_EXCITE,
}  # fmt: skip
_GOOGLE_PLAIN = {
    "conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2", **_GOOGLE_EXCITE,
}  # fmt: skip


@cache
def timm_to_google(backbone: str) -> dict[str, str]:
    """Names of every tensor of the backbone in timm and in the ports of Google's own EfficientNets,
    which count the blocks through and call a block's steps by what they do.

    A block that widens has three convolutions (timm's last is `conv_pwl`), a plain one two.
    """
    keys = [key for key in expected_shapes(backbone) if key not in HEAD]
    inside = [key.split(".", 3) for key in keys if key.startswith("blocks.")]
    numbers = {block: str(i) for i, block in enumerate(dict.fromkeys((g, b) for _, g, b, _ in inside))}
    widening = {(g, b) for _, g, b, step in inside if step.startswith("conv_pwl.")}
    names = {}
    for key in keys:
        if not key.startswith("blocks."):
            module, leaf = key.rsplit(".", 1)
            names[key] = f"{_GOOGLE_OUTER[module]}.{leaf}"
            continue
        _, group, block, rest = key.split(".", 3)
        step, leaf = rest.rsplit(".", 1)
        steps = _GOOGLE_WIDENING if (group, block) in widening else _GOOGLE_PLAIN
        names[key] = f"_blocks.{numbers[group, block]}.{steps[step]}.{leaf}"
    return names


@cache
def expected_shapes(backbone: str = B0) -> dict[str, tuple[int, ...]]:
    """{timm's name: shape} of a whole network with 1,000 classes, its head called `classifier`;
    nothing is allocated."""
    import timm
    import torch

    with torch.device("meta"):
        model: Any = timm.create_model(architecture(backbone).name, pretrained=False, num_classes=1000)
    head = model.pretrained_cfg["classifier"]
    return {
        re.sub(f"^{head}[.]", "classifier.", key): tuple(tensor.shape)
        for key, tensor in model.state_dict().items()
    }


def fit(state: dict[str, Tensor], source: str, backbone: str = B0) -> dict[str, Tensor]:
    """`state` in float32, if it is that network's. Raises: as `read`."""
    import torch

    expected = dict(expected_shapes(backbone))
    head = state.get("classifier.weight")
    if head is None or head.ndim != 2 or "classifier.bias" not in state:
        for key in HEAD:
            state.pop(key, None)
            expected.pop(key)
    else:
        expected |= {"classifier.weight": (len(head), expected[HEAD[0]][1]), "classifier.bias": (len(head),)}
    for key, shape in expected.items():
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, torch.zeros(shape, dtype=torch.int64))

    missing = [key for key in expected if key not in state]
    unexpected = [key for key in state if key not in expected]
    misshapen = [
        f"{key} {tuple(state[key].shape)} instead of {shape}"
        for key, shape in expected.items()
        if key in state and tuple(state[key].shape) != shape
    ]
    detail = [
        f"{name}: {', '.join(keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}"
        for name, keys in (("missing", missing), ("wrong shape", misshapen), ("unknown", unexpected))
        if keys
    ]
    if detail:
        raise WeightsMismatch(source=source, detail="; ".join(detail))

    fitted = {}
    for key in expected:
        tensor = state[key]
        fitted[key] = tensor.long() if key.endswith("num_batches_tracked") else tensor.float()
        if not torch.isfinite(fitted[key]).all():
            raise WeightsUnavailable(
                source=source, reason="file_damaged", detail=f"{key} holds numbers that are not finite"
            )
    return fitted
