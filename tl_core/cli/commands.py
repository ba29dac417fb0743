"""What each command does. Heavy modules are imported once a command needs them."""

from __future__ import annotations

import argparse
import contextlib
import glob
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from tl_core.base.config import DEFAULT_PRESET, RunConfig, preset, read_toml
from tl_core.base.errors import NoPicture, OneVideo, TlError, UnknownWeights, WeightsUnavailable
from tl_core.base.files.paths import expanded, is_dir, is_file
from tl_core.base.messages import say
from tl_core.base.setting import all_settings
from tl_core.cli import app, report
from tl_core.cli.progress import ProgressView, bar, phases
from tl_core.models.families.registry import architecture
from tl_core.runs.run_folder import RunFolder, open_run

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor

LASTING = ("not_shipped", "not_installed", "user_download")
# reasons against a weight source that waiting does not mend


@dataclass(frozen=True)
class CommandResult:
    content: dict[str, Any]
    # for --json
    text: str
    status: int = 0


def train(args: argparse.Namespace, language: str) -> CommandResult:
    """Raises: UnknownWeights, WeightsUnavailable, DeviceUnavailable, and as `workflow.create_run`."""
    from tl_core.runs.execution import workflow

    config = settings(args)
    _refuse_weights_that_cannot_be(config.weights)
    _refuse_device_that_cannot_be(config)
    run = workflow.create_run(args.data, args.output, config)
    return _carry_out(run, language)


def resume(args: argparse.Namespace, language: str) -> CommandResult:
    return _carry_out(open_run(args.run), language)


def cross_validate(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.runs.execution import workflow

    run = open_run(args.run)
    workflow.ask_cross_validation(run)
    return _carry_out(run, language)


def evaluate(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.inference.labelled_folder import evaluate_folder
    from tl_core.inference.predictor import Predictor

    predictor = Predictor.load(args.run)
    _say_unchecked(predictor.path, language)
    _say_so_far(predictor, language)
    _say_decisions(args.data, predictor.classes, language)
    scores = evaluate_folder(predictor, args.data)
    content = {"run": str(args.run), "data": str(args.data), **scores}
    return CommandResult(content, report.scores(scores, language))


def _say_decisions(data: Path, classes: list[str], language: str) -> None:
    """One line on standard error when decisions beside the pictures change what is judged."""
    from tl_core.data import curation, folders

    found = folders.scan(data, known=classes)
    counts = curation.counts(found, curation.followed(found))
    if any(counts.values()):
        print(say("warning.decisions", language, **counts), file=sys.stderr)


def _say_so_far(predictor: Predictor, language: str) -> None:
    """One line on standard error where the run goes on or was cut short: which stage's model answers."""
    summary, stage = predictor.run.read_summary(), predictor.stage
    if summary and not summary.get("is_complete", True):
        stage = stage or summary["final_stage"]
    if stage:
        print(say("cli.so_far", language, stage=stage), file=sys.stderr)


def _say_unchecked(model: Path, language: str) -> None:
    """One line on standard error where a damaged file would not be noticed."""
    from tl_core.models.files import file_checks

    if not file_checks.has_sum(model):
        print(say("warning.unchecked_model", language, file=model), file=sys.stderr)


def predict(args: argparse.Namespace, language: str) -> CommandResult:
    """Exit status 2 only when no picture at all could be read. Raises: NoPicture: none was named."""
    from tl_core.data.dataset import Account, Refused
    from tl_core.inference.ensemble import Ensemble
    from tl_core.inference.many.keeping import Limit, keeping
    from tl_core.inference.predictor import Predictor, predict_files
    from tl_core.inference.video.frames import is_video_name

    runs, images = _runs_first([args.run, *args.images])
    if video := next((name for name in images if is_video_name(name)), None):
        if len(runs) > 1 or len(images) > 1 or args.copy_to:
            raise OneVideo(file=video)
        return _predict_video(args, Path(video), language)
    members = [Predictor.load(run) for run in runs]
    for one in members:
        _say_unchecked(one.path, language)
        _say_so_far(one, language)
    predictor = Ensemble.of(members) if len(members) > 1 else members[0]
    decided = predictor.rule
    limit = Limit(predictor.classes, decided, predictor.sure_from(decided))
    files, folders_below = _expand(images)
    answers: list[dict[str, Any]] = []
    with keeping(limit, args.csv, args.copy_to, language) as kept, bar(language, "looking") as on_progress:
        for file, answer in zip(files, predict_files(predictor, files, decided), strict=True):
            if isinstance(answer.get("error"), TlError):
                answer = {**answer, "error": answer["error"].message(language)}
            if "error" in answer:
                tqdm.write(answer["error"], file=sys.stderr)
            kept.add(Path(file), answer)
            answers.append(answer)
            on_progress(len(answers), len(files))
    is_any_read = any("error" not in answer for answer in answers)
    content: dict[str, Any] = {"predictions": answers}
    if len(runs) > 1:
        content["ensemble"] = [str(run) for run in runs]
    if folders_below:
        left_out = [Refused(name, "folder_below", "") for name in folders_below]
        account = Account(sum("error" not in answer for answer in answers), left_out, [])
        content["account"] = account.to_dict()
        print(*account.lines(language), sep="\n", file=sys.stderr)
    if not decided.is_empty:
        content["decision"] = decided.to_dict()
    content |= kept.summary()
    text = "\n".join([report.predictions(answers, decided, language), *report.kept(content, language)])
    return CommandResult(content, text, 0 if is_any_read else 2)


def _predict_video(args: argparse.Namespace, path: Path, language: str) -> CommandResult:
    from tl_core.base.files import csv_table
    from tl_core.base.files.file_names import readable
    from tl_core.inference.predictor import Predictor
    from tl_core.inference.video import timeline
    from tl_core.inference.video.frames import Video

    predictor = Predictor.load(args.run)
    _say_unchecked(predictor.path, language)
    _say_so_far(predictor, language)
    decided, video = predictor.rule, Video(path, readable(str(path)))
    answers: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        on_progress = stack.enter_context(bar(language, "looking"))
        columns = timeline.columns(predictor.classes)
        write_row = stack.enter_context(csv_table.writing(args.csv, columns)) if args.csv else None
        for answer in timeline.timeline(
            predictor, video, decided, rate=args.rate, smooth_seconds=args.smooth,
            on_time=lambda seconds: on_progress(round(seconds), round(video.seconds or seconds)),
        ):  # fmt: skip
            answers.append(answer)
            if write_row:
                write_row(timeline.row_of(answer))
    told = {
        "file": video.called,
        "rate": args.rate,
        "smooth_seconds": args.smooth,
        "frames": video.num_decoded,
    }
    told |= {} if video.broken_at is None else {"broken_at": round(video.broken_at, 3)}
    content: dict[str, Any] = {"predictions": answers, "video": told, "segments": timeline.segments(answers)}
    content |= {"decision": decided.to_dict()} if not decided.is_empty else {}
    content |= {"csv": str(args.csv)} if args.csv else {}
    if video.broken_at is not None:
        print(say("warning.video_broken", language, seconds=f"{video.broken_at:.1f}"), file=sys.stderr)
    text = "\n".join([*report.video(content, language), *report.kept(content, language)])
    return CommandResult(content, text)


def serve(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.inference.predictor import Predictor
    from tl_core.serving import run_server
    from tl_core.serving.app import Terms

    predictor = Predictor.load(args.run)
    _say_unchecked(predictor.path, language)
    _say_so_far(predictor, language)
    token = args.token or os.environ.get("HEADSWAP_TOKEN") or None
    if token is None and not run_server.is_loopback(args.host):
        print(say("cli.open_to_all", language), file=sys.stderr)
    terms = Terms(token=token, max_body_mb=args.max_mb, language=language)

    def on_open(address: str) -> None:
        print(
            say("cli.serving", language, run=predictor.run.name, address=address), file=sys.stderr, flush=True
        )

    address = run_server.serve(predictor, terms, args.host, args.port, on_open)
    content = {"run": str(args.run), "address": address}
    return CommandResult(content, say("cli.served", language, run=predictor.run.name, address=address))


def export(args: argparse.Namespace, language: str) -> CommandResult:
    """Exit status 1 when the export falls short of its check; it is kept under a telling name then."""
    from tl_core.export import card, workflow

    options = {"web_runtime": args.web_runtime}
    with phases(language) as on_phase:
        made = workflow.export(
            args.run, args.format, args.output, stage=args.stage, options=options, on_phase=on_phase
        )
    told = [say("export.written" if made.passed else "export.kept", language, path=made.path)]
    content = {"path": str(made.path), "models": [str(path) for path in made.models], "card": made.card}
    text = "\n".join([*told, *(f"  {line}" for line in card.lines(made.card, language))])
    if not made.passed:
        print(text, file=sys.stderr)
    return CommandResult(content, text if made.passed else "", 0 if made.passed else 1)


def probe(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.cli import probe as probing

    found = probing.measure(args.data, args.seed, language, names_sources=not args.json)
    return CommandResult(found, probing.text(found, language))


def sample_data(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.synthetic.practice import write_samples

    with bar(language, "drawing") as on_progress:
        folder = write_samples(args.name, args.out, seed=args.seed, on_progress=on_progress)
    content = {"name": args.name, "path": str(folder), "seed": args.seed}
    return CommandResult(content, say("cli.written", language, path=folder))


def report_page(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.base.files.atomic import output_errors, write_atomic
    from tl_core.runs.report.page import render

    run = open_run(args.run)
    path = expanded(args.output or run.path / "report.html")
    page = render(run, args.language or language)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, page)
    content = {"run": str(run.path), "path": str(path)}
    return CommandResult(content, say("cli.report_written", language, path=path))


def doctor(args: argparse.Namespace, language: str) -> CommandResult:
    from tl_core.cli import doctor as checks

    found = checks.examine(language)
    return CommandResult(found, checks.text(found, language), 1 if found["problems"] else 0)


def pages(args: argparse.Namespace, language: str) -> CommandResult:
    return CommandResult({}, "", app.serve(args))


COMMANDS: dict[str, Callable[[argparse.Namespace, str], CommandResult]] = {
    "train": train,
    "resume": resume,
    "cross-validate": cross_validate,
    "evaluate": evaluate,
    "predict": predict,
    "serve": serve,
    "export": export,
    "probe": probe,
    "sample-data": sample_data,
    "report": report_page,
    "app": pages,
    "doctor": doctor,
}


def settings(args: argparse.Namespace) -> RunConfig:
    """The preset, under the file's settings, under the options. Raises: ConfigError."""
    chosen = read_toml(args.config) if args.config else {}
    for name in all_settings(RunConfig):
        if (value := getattr(args, name, None)) is None:
            continue
        stage, _, own = name.rpartition(".")
        if stage:
            given = chosen.get(stage)
            chosen[stage] = {**(given if isinstance(given, dict) else {}), own: value}
        else:
            chosen[own] = value
    if chosen.get("backbone", "auto") != "auto":
        chosen.setdefault("unfreeze_blocks", architecture(str(chosen["backbone"])).family.default_unfreeze)
    return preset(chosen.pop("preset", DEFAULT_PRESET), **chosen)


def _refuse_weights_that_cannot_be(source: str) -> None:
    """Before a run folder is made for nothing. Raises: UnknownWeights, WeightsUnavailable."""
    from tl_core.models.weights.sources import availability

    if source == "auto":
        return
    if source.startswith("file:"):
        path = expanded(source.removeprefix("file:"))
        if not is_file(path):
            raise WeightsUnavailable(source=source, reason="file_missing", detail=path)
        return
    known = {status.source: status for status in availability()}
    if source not in known:
        raise UnknownWeights(source=source)
    if known[source].reason in LASTING:
        raise WeightsUnavailable(source=source, reason=known[source].reason, detail=known[source].detail)


def _refuse_device_that_cannot_be(config: RunConfig) -> None:
    """Before a run folder is made for nothing. Raises: DeviceError."""
    from tl_core.compute.device import pick_device, pick_precision

    # what is always there is not looked for: that would load torch before the wait in the queue
    if config.device not in ("auto", "cpu") or config.precision in ("bf16", "fp16"):
        device = pick_device(config.device)
        if config.precision != "auto":
            pick_precision(device, config.precision)


def _carry_out(run: RunFolder, language: str) -> CommandResult:
    from tl_core.jobs import worker

    try:
        with ProgressView(language) as view:
            state = worker.foreground(run, view.on_event, on_wait=view.on_wait)
    except KeyboardInterrupt:
        state = "interrupted"
    content: dict[str, Any] = {"run": str(run.path), "state": state}
    if state != "finished":
        print(say("cli.stopped", language, path=run.path), file=sys.stderr)
        return CommandResult(content, "", worker.EXIT_CODES[state])
    summary = run.read_summary() or {}
    content |= {name: summary.get(name) for name in ("final_stage", "reported", "weights")}
    return CommandResult(content, report.finished(run.path, summary, language))


def _runs_first(names: list[Any]) -> tuple[list[Path], list[str]]:
    """(runs, pictures). The first is a run; what follows it is one more as long as it is the folder of a run,
    of which no picture could be meant. Raises: NoPicture."""
    runs = [Path(names[0])]
    for name in names[1:]:
        if not is_file(RunFolder(Path(name)).config_path):
            break
        runs.append(Path(name))
    if len(runs) == len(names):
        raise NoPicture(run=runs[-1])
    return runs, [str(name) for name in names[len(runs) :]]


def _expand(names: list[str]) -> tuple[list[str], list[str]]:
    """(files, folders not entered). A folder stands for the files right in it: each gets an answer, or the
    reason why not. Windows' shells leave `*.jpg` to the program."""
    from tl_core.data.layouts.file_kinds import is_skipped_name

    found: list[str] = []
    below: list[str] = []
    for name in names:
        if is_dir(Path(name)):
            inside = sorted(glob.glob(f"{glob.escape(name)}/*"))  # noqa: PTH207
            inside = [path for path in inside if not is_skipped_name(Path(path).name)]
            below += [path for path in inside if is_dir(Path(path))]
            found += [path for path in inside if not is_dir(Path(path))] or [name]
            continue
        is_pattern = any(sign in name for sign in "*?") and not is_file(Path(name))
        found += (sorted(glob.glob(name)) or [name]) if is_pattern else [name]  # noqa: PTH207
    return found, below
