"""Use a trained run: classify pictures, or judge it on a labelled folder.

Reads the run folder alone: `config.json` for how pictures enter the network, `models/final` for
the weights. Computed in float32, as the run's own evaluation was, so the numbers agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tl_core import metrics, modelfiles
from tl_core.data import decisions, folders
from tl_core.data.decode import read_image, resize_square
from tl_core.errors import NoReadableImages, RunDamaged, RunNotReady, UnknownClass, UnreadableImage
from tl_core.feeds import normalise
from tl_core.model import TransferModel, skeleton
from tl_core.runs import RunFolder, open_run
from tl_core.workflow import settings_of

BATCH = 32
"""Pictures per forward pass: more saves no time on a CPU and costs memory."""


@dataclass(frozen=True)
class Predictor:
    """A run's final model, ready to answer; shared by whoever asks, never changed."""

    run: RunFolder
    model: TransferModel
    classes: list[str]
    positive: str
    image_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str = "cpu"

    @classmethod
    def load(cls, run: Path | RunFolder, device: str = "cpu") -> Predictor:
        """Raises: RunNotFound, RunNotReady, RunDamaged."""
        folder = run if isinstance(run, RunFolder) else open_run(run)
        path = folder.models / "final.safetensors"
        if not path.is_file():
            raise RunNotReady(path=folder.path)
        config, recorded = settings_of(folder), folder.read_config()
        try:
            classes, used = list(recorded["class_to_idx"]), recorded["weights_used"]
            mean, std = tuple(used["mean"]), tuple(used["std"])
        except (KeyError, TypeError) as error:
            raise RunDamaged(file=folder.config_path, detail=error) from None
        model = skeleton(config.library, len(classes), config.dropout)
        try:
            model.load_state_dict(modelfiles.load_weights(path))
        except RuntimeError as error:
            # another network's weights; torch names every tensor
            raise RunDamaged(file=path, detail=" ".join(str(error).split())[:200]) from None
        model.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        return cls(
            run=folder,
            model=model,
            classes=classes,
            positive=str(config.positive_class),
            image_px=config.image_px,
            mean=mean,
            std=std,
            device=device,
        )

    @torch.no_grad()
    def predict(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """RGB uint8 pictures of any size (H, W, 3) -> probabilities (N, C) float32, rows summing to 1."""
        results = [np.zeros((0, len(self.classes)), np.float32)]
        for some in _batched(images):
            squares = np.stack([resize_square(image, self.image_px) for image in some])
            x = normalise(torch.from_numpy(squares).to(self.device), self.mean, self.std)
            results.append(torch.softmax(self.model(x).float(), dim=1).cpu().numpy())
        return np.concatenate(results)


def _batched(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while some := list(islice(source, BATCH)):
        yield some


def predict_files(predictor: Predictor, files: Iterable[Path | str]) -> Iterator[dict[str, Any]]:
    """For each file, in order: {"file", "label", "probabilities": {class: p}}, or {"file", "error"}."""
    for some in _batched(files):
        answers: list[dict[str, Any]] = []
        images = []
        for file in some:
            try:
                images.append(read_image(Path(file), str(file), max_px=predictor.image_px))
                answers.append({"file": str(file)})
            except UnreadableImage as error:
                answers.append({"file": str(file), "error": error})
        rows = iter(predictor.predict(images))
        for answer in answers:
            if "error" not in answer:
                row = next(rows)
                answer["label"] = predictor.classes[int(row.argmax())]
                answer["probabilities"] = {c: float(p) for c, p in zip(predictor.classes, row, strict=True)}
            yield answer


def evaluate_folder(predictor: Predictor, path: Path) -> dict[str, Any]:
    """Scores on every readable picture of a labelled folder whose classes the run knows; labels and
    omissions decided beside the pictures are followed.

    Returns what `metrics.evaluate` does, and `refused`: [{name, reason, detail}].
    Raises: DataError: no such folder, no pictures, a class the run does not know.
    """
    dataset = decisions.followed(folders.scan(path))
    unknown = [name for name in dataset.classes if name not in predictor.classes]
    if unknown:
        raise UnknownClass(path=path, name=unknown[0], known=", ".join(predictor.classes))
    index = {
        picture.path: predictor.classes.index(dataset.classes[picture.label]) for picture in dataset.pictures
    }
    truth, rows = [], []
    refused = [vars(item) for item in dataset.refused]
    for picture, answer in zip(dataset.pictures, predict_files(predictor, index), strict=True):
        if "error" in answer:
            values = answer["error"].values
            refused.append({"name": picture.name, "reason": values["reason"], "detail": values["detail"]})
            continue
        truth.append(index[picture.path])
        rows.append([answer["probabilities"][name] for name in predictor.classes])
    if not rows:
        raise NoReadableImages(path=path, count=len(refused), example=refused[0]["name"])
    scores = metrics.evaluate(np.array(truth), np.array(rows), predictor.classes, predictor.positive)
    return {**scores, "refused": refused}
