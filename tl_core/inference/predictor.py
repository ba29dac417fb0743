"""Use a trained run: classify pictures.

Reads the run folder alone: `config.json` for how pictures enter the network, `models/final` for
the weights, `decision.json` (where a person saved one) for the threshold and the temperature. Computed
in float32, as the run's own evaluation was, so the numbers agree. On a CPU ONNX Runtime answers where
it can (`models.onnx.cached`); torch is loaded only when its model is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tl_core.base.errors import RunDamaged, RunNotReady, UnreadableImage
from tl_core.base.files.file_names import readable
from tl_core.base.files.paths import is_file
from tl_core.base.stages import STAGES
from tl_core.data.pixels.decode import pixels_hash, read_image, read_square, resize_square
from tl_core.data.pixels.sample_depth import Whites
from tl_core.inference import reference_features, seen_pictures
from tl_core.models.files import file_checks
from tl_core.models.onnx import cached
from tl_core.models.weights.record import B0
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder, open_run

if TYPE_CHECKING:
    import torch

    from tl_core.models.backbone import TransferModel

FINAL = "final"
BATCH = 32
"""Pictures per forward pass: more saves no time on a CPU and costs memory."""
WORTH_EXPORTING = 32
"""Answers by torch after which a model without an ONNX file gets one: by then it pays."""


@dataclass(frozen=True)
class Decided:
    """N pictures' answers as a decision gives them."""

    probabilities: np.ndarray
    # (N, C), after the temperature
    said: np.ndarray
    # (N,) int, index of the class that is said
    confidence: np.ndarray
    # (N,), see `DecisionRule.confidence`
    is_far: np.ndarray | None
    # (N,) bool, whether like no training picture; None: no limit of distance was decided


@dataclass(frozen=True)
class Predictor:
    """A run's model, ready to answer; shared by whoever asks, never changed."""

    run: RunFolder
    classes: list[str]
    positive: str | None
    image_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    library: str
    backbone: str
    # timm's name of the network
    dropout: float
    path: Path
    # of the weights
    device: str = "cpu"
    whites: Whites = field(default_factory=Whites)
    # the scale of pictures of more than 8 bits, of the set that it was trained on
    _answered: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    # "fast": the ONNX model or None; "num": pictures that torch has answered

    @classmethod
    def load(cls, run: Path | RunFolder, device: str = "cpu", file: str = FINAL) -> Predictor:
        """file: which of the run's models, without its ending; `tl_core.inference.stage_models` knows
        the stages', which torch alone answers for. A run that was killed has no final one: its latest stage's
        answers then, as `path` tells.

        Raises: RunNotFound, RunNotReady, RunDamaged.
        """
        folder = run if isinstance(run, RunFolder) else open_run(run)
        stages = [stage.best_file for stage in reversed(STAGES.values())]
        names = [FINAL, *stages] if file == FINAL else [file]
        paths = [folder.models / f"{name}.safetensors" for name in names]
        path = next((one for one in paths if is_file(one)), None)
        if path is None:
            raise RunNotReady(path=folder.path)
        config, recorded = folder.settings(), folder.read_config()
        try:
            classes, used = list(recorded["class_to_idx"]), recorded["weights_used"]
            mean, std = tuple(used["mean"]), tuple(used["std"])
            backbone = str(used.get("backbone", B0))
        except (KeyError, TypeError) as error:
            raise RunDamaged(file=folder.config_path, detail=error) from None
        predictor = cls(
            run=folder,
            classes=classes,
            positive=config.positive_class,
            image_px=config.image_px,
            mean=mean,
            std=std,
            library=config.library,
            backbone=backbone,
            dropout=config.dropout,
            path=path,
            device=device,
            whites=Whites.of(recorded.get("whites")),
        )
        file_checks.require_classes(path, file_checks.read_as_written(path), classes)
        if predictor._may_be_fast:
            with contextlib.suppress(OSError):  # said better below
                predictor._answered["fast"] = cached.open_fast(predictor._key())
        if predictor._answered.get("fast") is None:
            _ = predictor.model  # a damaged file is told now
        return predictor

    @property
    def stage(self) -> str | None:
        """Whose model answers where the run has no final one; None: the final one does."""
        return next((stage.name for stage in STAGES.values() if stage.best_file == self.path.stem), None)

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def identity(self) -> tuple[int, ...]:
        """Of this object, while it lives: what it said before it says again."""
        return (id(self),)

    @property
    def rule(self) -> DecisionRule:
        """What was saved for the run, read anew each time. Raises: RunDamaged."""
        return decision_rule.read(self.run)

    def sure_from(self, decided: DecisionRule) -> float:
        """Confidence from which an answer is sure, as `decision_rule.sure_from` says."""
        stage = self.stage or str((self.run.read_summary() or {}).get("final_stage"))
        return decision_rule.sure_from(self.run, decided, self.classes, stage)

    def read_both(self, source: Path | bytes, name: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """To be shown, and as the network sees it: `read`, `read_square`. Raises: UnreadableImage."""
        image = self.read(source, name)
        return image, resize_square(image, self.image_px)

    def is_known(self, square: np.ndarray) -> bool:
        """Whether the run was trained on this picture (px, px, 3), or chosen by it."""
        return pixels_hash(square) in seen_pictures.pixels(self.run)

    @cached_property
    def model(self) -> TransferModel:
        """torch's own, loaded when first asked for. Raises: RunDamaged."""
        import torch

        from tl_core.models.build import skeleton
        from tl_core.models.files import checkpoint_files

        model = skeleton(self.library, len(self.classes), self.dropout, self.backbone)
        try:
            model.load_state_dict(checkpoint_files.load_weights(self.path, self.classes))
        except RuntimeError as error:
            # another network's weights; torch names every tensor
            raise RunDamaged(file=self.path, detail=" ".join(str(error).split())[:200]) from None
        return model.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def read(self, source: Path | bytes, name: str | None = None) -> np.ndarray:
        """A picture as this run reads pictures: uint8 (H, W, 3) RGB. Raises: UnreadableImage."""
        return read_image(source, name, max_px=self.image_px, whites=self.whites)

    def read_square(self, source: Path | bytes, name: str | None = None) -> np.ndarray:
        """The same at the network's size, (px, px, 3). Raises: UnreadableImage."""
        return read_square(source, name, px=self.image_px, whites=self.whites)

    def predict(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """RGB uint8 pictures of any size (H, W, 3) -> probabilities (N, C) float32, rows summing to 1."""
        return self.predict_with_features(images)[0]

    def predict_with_features(self, images: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 pictures of any size (H, W, 3) -> probabilities (N, C), pooled features (N, 1280);
        both float32, as the network gives them: no temperature, no threshold."""
        if not len(images):
            fast = self._answered.get("fast")
            width = fast.feature_dim if fast else self.model.feature_dim
            return np.zeros((0, len(self.classes)), np.float32), np.zeros((0, width), np.float32)
        pieces = [self._look(self._squares(some)) for some in _batched(images)]
        return np.concatenate([p for p, _ in pieces]), np.concatenate([f for _, f in pieces])

    def decide(self, decided: DecisionRule, raw: np.ndarray, features: np.ndarray) -> Decided:
        """What `look` saw, answered. Shapes: raw (N, C), features (N, 1280). Raises: RunDamaged."""
        probabilities = decided.probabilities(raw)
        is_far = None
        if decided.far_from is not None:
            is_far = reference_features.distance_to_training(self.run, features) > decided.far_from
        said = decided.answers(probabilities, self.classes)
        return Decided(probabilities, said, decided.confidence(probabilities, self.classes), is_far)

    def _look(self, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fast = self._answered.get("fast")
        return fast.predict_with_features(squares) if fast else self._with_torch(squares)

    def _with_torch(self, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import torch

        with torch.no_grad():
            pooled = self.model.forward_until(self._entering(squares), "pooled")
            probabilities = torch.softmax(self.model.classify(pooled).float(), dim=1)
        self._export_when_worth_it(squares)
        return probabilities.cpu().numpy(), pooled.float().cpu().numpy()

    def _export_when_worth_it(self, squares: np.ndarray) -> None:
        """For runs of another machine, or whose file has left the cache. Tried once."""
        num = self._answered["num"] = self._answered.get("num", 0) + len(squares)
        if self._may_be_fast and num >= WORTH_EXPORTING and "tried" not in self._answered:
            self._answered["tried"] = True
            made = cached.export_checked(self.model, self._key(), squares, self.mean, self.std)
            self._answered["fast"] = made

    @property
    def _may_be_fast(self) -> bool:
        return self.device == "cpu" and self.path.stem == FINAL

    def _key(self) -> str:
        return cached.key_of(self.path, self.backbone, self.image_px, self.mean, self.std)

    def _squares(self, images: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([resize_square(image, self.image_px) for image in images])

    def enter(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """RGB uint8 pictures of any size (H, W, 3) -> (N, 3, px, px) float32 as torch's model takes them."""
        return self._entering(self._squares(images))

    def _entering(self, squares: np.ndarray) -> torch.Tensor:
        import torch

        from tl_core.data.pixels.normalise import normalise

        return normalise(torch.from_numpy(squares).to(self.device), self.mean, self.std)


class Answering(Protocol):
    """What `predict_files` asks: a `Predictor`, or several as one (`inference.ensemble`)."""

    @property
    def classes(self) -> list[str]: ...
    @property
    def rule(self) -> DecisionRule: ...
    def read_square(self, source: Path | bytes, name: str | None = None) -> Any: ...
    def predict_with_features(self, images: Sequence[Any], /) -> tuple[np.ndarray, np.ndarray]: ...
    def decide(self, decided: DecisionRule, raw: np.ndarray, features: np.ndarray) -> Decided:
        """raw (N, C) probabilities, features (N, width)."""


def _batched(items: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(items)
    while some := list(islice(source, BATCH)):
        yield some


def predict_files(
    predictor: Answering, files: Iterable[Path | str], decided: DecisionRule | None = None
) -> Iterator[dict[str, Any]]:
    """For each file, in order: {"file", "label", "probabilities": {class: p}}, or {"file", "error"}; where a
    limit was decided, also "unsure": whether the answer is less sure than it, and "unlike_training":
    whether the picture lies farther from those of training.

    decided: how probabilities become an answer; None: as the run's decision.json says, and without one
    the most probable class. Raises: RunDamaged: a decision.json that cannot be.
    """
    sources = ((readable(str(file)), Path(file)) for file in files)
    return predict_sources(predictor, sources, decided)


def predict_sources(
    predictor: Answering, sources: Iterable[tuple[str, Path | bytes]], decided: DecisionRule | None = None
) -> Iterator[dict[str, Any]]:
    """As `predict_files`, of (what it is called, where it lies or its content); one content at a
    time is kept."""
    decided = predictor.rule if decided is None else decided
    for some, squares in read_squares(predictor, sources):
        rows = iter(answer_squares(predictor, squares, decided))
        for answer in some:
            yield answer if "error" in answer else {**answer, **next(rows)}


def read_squares(
    predictor: Answering, sources: Iterable[tuple[str, Path | bytes]]
) -> Iterator[tuple[list[dict[str, Any]], list[np.ndarray]]]:
    """Batches: {"file"} or {"file", "error"} of every one, and squares (px, px, 3) of the readable ones."""
    left = iter(sources)
    while True:
        told: list[dict[str, Any]] = []
        squares = []
        for name, source in islice(left, BATCH):
            try:
                squares.append(predictor.read_square(source, name))
                told.append({"file": name})
            except UnreadableImage as error:
                told.append({"file": name, "error": error})
        if not told:
            return
        yield told, squares


def answer_squares(
    predictor: Answering, squares: Sequence[Any], decided: DecisionRule
) -> list[dict[str, Any]]:
    """What `predict_files` says of each, but for its name. squares: as `Predictor.read_square` gives them.
    Raises: RunDamaged: the features kept with the run, where a limit of distance was decided."""
    found = predictor.decide(decided, *predictor.predict_with_features(squares))
    classes = predictor.classes
    answers = []
    for i, row in enumerate(found.probabilities):
        answer: dict[str, Any] = {
            "label": classes[int(found.said[i])],
            "probabilities": {name: float(p) for name, p in zip(classes, row, strict=True)},
        }
        if decided.sure_from is not None:
            answer["unsure"] = bool(found.confidence[i] < decided.sure_from)
        if found.is_far is not None:
            answer["unlike_training"] = bool(found.is_far[i])
        answers.append(answer)
    return answers
