"""Use a trained run: classify pictures, or judge it on a labelled folder.

Reads the run folder alone: `config.json` for how pictures enter the network, `models/final` for
the weights, `decision.json` (where a person saved one) for the threshold and the temperature. Computed
in float32, as the run's own evaluation was, so the numbers agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tl_core import decision, metrics, modelfiles
from tl_core.data import decisions, folders
from tl_core.data.decode import read_image, resize_square
from tl_core.decision import Decision
from tl_core.errors import NoReadableImages, RunDamaged, RunNotReady, UnknownClass, UnreadableImage
from tl_core.feeds import normalise
from tl_core.model import TransferModel, skeleton
from tl_core.runs import RunFolder, open_run
from tl_core.workflow import settings_of

BATCH = 32
"""Pictures per forward pass: more saves no time on a CPU and costs memory."""


@dataclass(frozen=True)
class Predictor:
    """A run's model, ready to answer; shared by whoever asks, never changed."""

    run: RunFolder
    model: TransferModel
    classes: list[str]
    positive: str
    image_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str = "cpu"

    @classmethod
    def load(cls, run: Path | RunFolder, device: str = "cpu", file: str = "final") -> Predictor:
        """file: which of the run's models, without its ending; `tl_core.stages` knows the stages'.

        Raises: RunNotFound, RunNotReady, RunDamaged.
        """
        folder = run if isinstance(run, RunFolder) else open_run(run)
        path = folder.models / f"{file}.safetensors"
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

    def predict(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """RGB uint8 pictures of any size (H, W, 3) -> probabilities (N, C) float32, rows summing to 1."""
        return self.look(images)[0]

    @torch.no_grad()
    def look(self, images: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 pictures of any size (H, W, 3) -> probabilities (N, C), pooled features (N, 1280);
        both float32, as the network gives them: no temperature, no threshold."""
        answers = [np.zeros((0, len(self.classes)), np.float32)]
        features = [np.zeros((0, self.model.feature_dim), np.float32)]
        for some in _batched(images):
            pooled = self.model.forward_until(self.enter(some), "pooled")
            answers.append(torch.softmax(self.model.classify(pooled).float(), dim=1).cpu().numpy())
            features.append(pooled.float().cpu().numpy())
        return np.concatenate(answers), np.concatenate(features)

    def enter(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """RGB uint8 pictures of any size (H, W, 3) -> (N, 3, px, px) float32 as the network takes them."""
        squares = np.stack([resize_square(image, self.image_px) for image in images])
        return normalise(torch.from_numpy(squares).to(self.device), self.mean, self.std)


def _batched(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while some := list(islice(source, BATCH)):
        yield some


def predict_files(
    predictor: Predictor, files: Iterable[Path | str], decided: Decision | None = None
) -> Iterator[dict[str, Any]]:
    """For each file, in order: {"file", "label", "probabilities": {class: p}}, or {"file", "error"}.

    decided: how probabilities become an answer; None: as the run's decision.json says, and without one
    the most probable class. Raises: RunDamaged: a decision.json that cannot be.
    """
    decided = decision.read(predictor.run) if decided is None else decided
    for some in _batched(files):
        answers: list[dict[str, Any]] = []
        images = []
        for file in some:
            try:
                images.append(read_image(Path(file), str(file), max_px=predictor.image_px))
                answers.append({"file": str(file)})
            except UnreadableImage as error:
                answers.append({"file": str(file), "error": error})
        probabilities = decided.probabilities(predictor.predict(images))
        rows = zip(probabilities, decided.answers(probabilities, predictor.classes), strict=True)
        for answer in answers:
            if "error" not in answer:
                row, said = next(rows)
                answer["label"] = predictor.classes[int(said)]
                answer["probabilities"] = {c: float(p) for c, p in zip(predictor.classes, row, strict=True)}
            yield answer


def evaluate_folder(predictor: Predictor, path: Path) -> dict[str, Any]:
    """Scores on every readable picture of a labelled folder whose classes the run knows; labels and
    omissions decided beside the pictures are followed.

    Of the network itself, as in the run's summary: a saved decision does not change them.
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
    for picture, answer in zip(dataset.pictures, predict_files(predictor, index, Decision()), strict=True):
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
