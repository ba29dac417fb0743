"""Make an export, check it in its own runtime, write the card, put it in place: all of it or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tl_core.base.errors import ExportExists, ExportFailed, PackageMissing, TlError
from tl_core.base.files.atomic import is_left_behind, output_errors
from tl_core.base.files.paths import expanded
from tl_core.export import card as cards
from tl_core.export import check, formats, pictures
from tl_core.export.formats.record import Ask, Format
from tl_core.export.pictures import CheckPictures
from tl_core.export.subject import Subject
from tl_core.runs.run_folder import RunFolder, open_run

FAILED = "failed-check"
"""In the name of a model that fell short: model.failed-check.onnx. Nothing finds it by accident."""
SPECIFICATION = ("picture-path.md", "PICTURE-PATH.md")
"""How a picture becomes the network's input: in the package, and beside every export."""
T = TypeVar("T")
OnPhase = Callable[[str, int, int], None]
"""Told a phase (a key under [progress]), what is done and how much there is."""


@dataclass(frozen=True)
class Exported:
    path: Path
    # the folder
    models: tuple[Path, ...]
    card: dict[str, Any]

    @property
    def passed(self) -> bool:
        return bool(self.card["check"]["passed"])


def export(
    run: Path | RunFolder,
    format_name: str,
    place: Path,
    *,
    stage: str | None = None,
    options: dict[str, Any] | None = None,
    on_phase: OnPhase = lambda phase, done, total: None,
) -> Exported:
    """The run's model as `format_name` (see `formats.NAMES`) in the folder `place`, which is made; or, where
    `place` is called like the format's one file (out/model.onnx), as that file and its card beside it.

    An export that falls short of its check is kept too, its model under a name that says so.

    Raises: ConfigError: no such format. RunNotFound, RunNotReady, RunDamaged, StageMissing, PackageMissing.
        ExportExists: something lies where it would go. ExportFailed: the converter or the runtime gave up.
        OutputUnwritable: read-only place, full disk; nothing is left behind then.
    """
    form = formats.named(format_name)
    for package in form.needs:
        if find_spec(package.replace("-", "_")) is None:
            raise PackageMissing(format=form.name, package=package)
    subject = Subject.of(run if isinstance(run, RunFolder) else open_run(run), stage)
    folder, renamed = _place(expanded(place).absolute(), form)
    with output_errors(folder):
        above = _nearest(folder)
        with tempfile.TemporaryDirectory(prefix=f".export-{os.getpid()}-", dir=above) as scratch:
            made, drawn = Path(scratch) / "made", Path(scratch) / "drawn"
            made.mkdir()
            drawn.mkdir()
            card = _filled(subject, form, made, drawn, options or {}, on_phase)
            _rename(made, form, renamed, is_sound=card["check"]["passed"])
            shutil.copyfile(Path(__file__).with_name("handout") / SPECIFICATION[0], made / SPECIFICATION[1])
            card["files"] = cards.sums(made)
            cards.write(made, card, form)
            names = [path.name for path in made.iterdir()]
            _put_in_place(made, folder)
    models = tuple(folder / name for name in names if name in _model_names(form, renamed))
    return Exported(folder, models, card)


def _filled(
    subject: Subject, form: Format, folder: Path, drawn: Path, options: dict[str, Any], on_phase: OnPhase
) -> dict[str, Any]:
    """The export in `folder`, and what its card says. Raises: OSError, ExportFailed."""
    on_phase("exporting", 0, 0)
    _guarded(lambda: form.make(subject, folder, options))
    used = pictures.for_check(subject, drawn, lambda done, total: on_phase("reading", done, total))
    on_phase("checking_export", 0, 0)
    exported = _guarded(lambda: form.answer(folder, used))
    result = check.compare(subject, form, used, subject.answers(used.squares), exported)
    if read := form.read:
        result["pixels"] = _pixels(_guarded(lambda: read(used, subject)), used)
    on_phase("timing_export", 0, 0)
    seconds = check.speeds(_rivals(subject, form, folder), used.squares[:1]) if form.open else {}
    return cards.content(subject, form, folder, result, seconds)


def _rivals(subject: Subject, form: Format, folder: Path) -> dict[str, Ask]:
    """What the export's time is held against: torch, and for int8 the same network in 32 bits."""
    import torch

    from tl_core.export.formats import onnx_file
    from tl_core.models.onnx import cached
    from tl_core.models.onnx import graph as onnx_graph

    assert form.open is not None
    network = subject.network()

    def ask_torch(squares: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(squares)).numpy()

    rivals: dict[str, Ask] = {"export": form.open(folder), "torch": ask_torch}
    if not form.is_exact:
        session = cached.open_session(onnx_file.graph_of(subject).SerializeToString())
        rivals["onnx"] = lambda squares: session.run(None, {onnx_graph.INPUT: squares})[0]
    return rivals


def _pixels(read: np.ndarray, used: CheckPictures) -> dict[str, Any]:
    gap = np.abs(read.astype(np.int16) - used.squares)
    return {"share_differing": float((gap > 0).mean()), "largest": int(gap.max()), "mean": float(gap.mean())}


def _guarded(step: Callable[[], T]) -> T:
    """Raises: ExportFailed: whatever a converter or a runtime raises that is no fault of the disk's."""
    try:
        return step()
    except (TlError, OSError):
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:300] or type(error).__name__
        raise ExportFailed(detail=detail) from error


def _place(place: Path, form: Format) -> tuple[Path, str | None]:
    """(folder, name of its one model, if asked for). Raises: ExportExists."""
    endings = {Path(name).suffix for name in form.models}
    is_file = len(form.models) == 1 and place.suffix in endings and not place.is_dir()
    folder, renamed = (place.parent, place.name) if is_file else (place, None)
    with output_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise ExportExists(path=folder)
        is_taken = folder.is_dir() and any(folder.iterdir())
        if is_taken and not is_file:
            raise ExportExists(path=folder)
        for name in (*_model_names(form, renamed), cards.FILE, cards.README, SPECIFICATION[1]):
            if (folder / name).exists():
                raise ExportExists(path=folder / name)
    return folder, renamed


def _model_names(form: Format, renamed: str | None) -> list[str]:
    names = [renamed] if renamed else list(form.models)
    return [*names, *(_telling(name) for name in names)]


def _telling(name: str) -> str:
    return f"{Path(name).stem}.{FAILED}{Path(name).suffix}"


def _rename(made: Path, form: Format, renamed: str | None, *, is_sound: bool) -> None:
    for name in form.models:
        wanted = renamed or name
        (made / name).rename(made / (wanted if is_sound else _telling(wanted)))


def _nearest(folder: Path) -> Path:
    """The folder above, made where it is missing: on the same disk, so that a rename is enough."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(".export-*"):
        if is_left_behind(left):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
    return folder.parent


def _put_in_place(made: Path, folder: Path) -> None:
    """Raises: OSError. ExportExists: somebody else was quicker."""
    made.chmod(0o755)
    if not folder.exists() or not any(folder.iterdir()):
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
        return
    names = sorted((path.name for path in made.iterdir()), key=lambda name: name == cards.FILE)
    for name in names:  # the card last: who finds it finds the rest
        if (folder / name).exists():
            raise ExportExists(path=folder / name)
        (made / name).rename(folder / name)
