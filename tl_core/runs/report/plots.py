"""The plots of a run: curves, confusion matrix, probability histogram as PNG; a report's curves as SVG.

Drawn with matplotlib's Agg canvas and without pyplot, so no window, no global figure list and
no thread trouble. Labels are English; class names are shown as they are, in a Korean face
where the machine has one.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.base.percent import percent
from tl_core.base.stages import STAGES
from tl_core.runs.predictions import reported as reported_rows
from tl_core.runs.report.epoch_axis import marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tl_core.runs.run_folder import RunFolder

TRAIN, VALIDATION, ACCENT, MUTED = "#0072B2", "#D55E00", "#009E73", "#6B7280"
CLASS_COLOURS = (TRAIN, VALIDATION, ACCENT, "#CC79A7", "#E69F00", "#56B4E9")
"""Told apart by colour-blind readers too. Source: Okabe & Ito 2008, Color Universal Design."""

KOREAN_FACES = (
    "Pretendard",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",  # the first face inside the collection file; holds hangul as well
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "NanumGothic",
)
DPI = 120
History = dict[str, dict[str, list[float]]]
THRESHOLD = 0.5


def write_plots(
    folder: RunFolder,
    history: History,
    summary: dict[str, Any],
    predictions: Sequence[dict[str, Any]],
    *,
    on_skip: Callable[[str, str], None] = lambda name, detail: None,
) -> list[Path]:
    """Draw what there is to draw into `folder.plots` and return the files written.

    Args: history: as in logs/training_log.json. summary: as in metrics/summary.json.
    predictions: rows of metrics/predictions.csv (values may be strings).
    on_skip: told (file, why) of one that cannot be drawn; the others are.
    Raises: OutputUnwritable: read-only folder or full disk.
    """
    from tl_core.runs.run_folder import write_atomic

    reported = summary.get("reported") or {}
    with _style():
        figures = {
            "curves.png": lambda: curves(history, best_epochs(summary)),
            "confusion_matrix.png": lambda: confusion_matrix(reported),
            "probability_histogram.png": lambda: probability_histogram(summary, predictions),
        }
        written = []
        for name, figure in figures.items():
            try:
                drawn = figure()
                content = _png(drawn) if drawn is not None else None
            except Exception as error:  # matplotlib raises almost anything over a name or a number
                on_skip(name, str(error).partition("\n")[0][:200] or type(error).__name__)
                continue
            if content is not None:
                path = Path(folder.plots) / name
                write_atomic(path, content)
                written.append(path)
    return written


Best = dict[str, int]


def best_epochs(summary: dict[str, Any]) -> Best:
    """{stage: the epoch that was kept, as the training chose it: of a calculated head the last}."""
    return {stage: best["epoch"] for stage, best in (summary.get("best") or {}).items()}


def curves(history: History, best: Best | None = None) -> Figure | None:
    """Loss and accuracy of every stage on one continuous epoch axis; None without an epoch.

    best: as `best_epochs` returns them."""
    if not any(stage.get("val_loss") for stage in history.values()):
        return None
    figure = _figure(11, 4.2)
    loss, accuracy = figure.subplots(1, 2)
    _curve(loss, history, best or {}, "loss", "Loss: lower is better")
    _curve(accuracy, history, best or {}, "acc", "Accuracy: higher is better")
    _as_share(accuracy)
    handles, labels = loss.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def curve_svg(history: History, best: Best, metric: str, t: Callable[..., str]) -> str:
    """One metric of every stage as an <svg> to put into a page; "" without an epoch.

    Args: history: as in logs/training_log.json. best: as `best_epochs` returns them. metric: "accuracy" or
    "loss". t: the words of `epoch`, `stage_boundary` and `curve_<metric>` in the reader's language.
    """
    import matplotlib

    column = {"accuracy": "acc"}.get(metric, metric)
    if not any(stage.get(f"val_{column}") for stage in history.values()):
        return ""
    buffer = io.StringIO()
    # letters stay letters, in the reader's own face; two drawings of one run are equal
    with _style(), matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": metric}):
        figure = _figure(5, 3)
        axes = figure.subplots()
        boundaries = _curve(axes, history, best, column, "")
        axes.set_xlabel("epoch")
        if metric == "accuracy":
            _as_share(axes)
        for name, at in boundaries.items():
            axes.text(at + 0.1, 1, f"begin_{name}", transform=axes.get_xaxis_transform(), va="bottom")
        about = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=about)
    drawing = buffer.getvalue()
    # inside a page an address of its own for SVG is not needed
    drawing = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawing[drawing.index("<svg") :])
    begins = {f"begin_{name}": t("stage_boundary", number=STAGES[name].number) for name in boundaries}
    for word, said in {"epoch": t("epoch"), **begins}.items():
        # put in last: matplotlib may have no face that holds them
        drawing = drawing.replace(f">{word}<", f">{escape(said)}<")
    title = escape(t(f"curve_{metric}"))
    return drawing.replace("xlink:href", "href").replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def confusion_matrix(reported: dict[str, Any]) -> Figure | None:
    """Truth by row, answer by column; shade = share of the row, so rows of any size compare."""
    metrics = reported.get("metrics") or {}
    if not metrics.get("confusion_matrix"):
        return None
    counts, classes = np.asarray(metrics["confusion_matrix"], dtype=float), metrics["classes"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(4.6 + 0.45 * len(classes), 14)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    right = int(np.trace(counts))
    axes.set_title(f"{right} of {int(counts.sum())} right ({reported.get('split')}, {reported.get('stage')})")
    axes.set_xticks(range(len(classes)), classes, rotation=0 if len(classes) < 4 else 45)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("What the network said")
    axes.set_ylabel("What it really is")
    axes.grid(False)
    for row, column in np.ndindex(counts.shape):
        share = percent(shares[row, column], 0, "") if counts[row].sum() else ""
        text = f"{int(counts[row, column])}\n{share}"
        colour = "white" if shares[row, column] > 0.55 else "#1B1B2F"
        axes.text(column, row, text, ha="center", va="center", color=colour)
    figure.colorbar(image, ax=axes, label="Share of the row", format=lambda value, _: percent(value, 0, ""))
    return figure


def probability_histogram(summary: dict[str, Any], predictions: Sequence[dict[str, Any]]) -> Figure | None:
    """The positive class's probability, by true class; the fixed axis makes runs comparable. Where no class
    is sought: the right class's."""
    reported = summary.get("reported") or {}
    classes, positive = summary.get("classes") or [], summary.get("positive_class")
    rows = reported_rows(predictions, summary) if reported else []
    if not rows or f"p_{positive or classes[0]}" not in rows[0]:
        return None
    by_class = [
        [float(row[f"p_{positive or name}"]) for row in rows if row["truth"] == name] for name in classes
    ]
    sought = f"“{positive}”" if positive else "the right class"
    figure = _figure(8, 4.2)
    axes = figure.subplots()
    colours = [CLASS_COLOURS[index % len(CLASS_COLOURS)] for index in range(len(classes))]
    bins = np.linspace(0, 1, 21).tolist()
    axes.hist(by_class, bins=bins, stacked=True, color=colours, label=[f"really {c}" for c in classes])
    if len(classes) == 2 and positive:
        axes.axvline(THRESHOLD, color="#1B1B2F", linestyle="--", label=f"threshold {THRESHOLD}")
    axes.set_xlim(0, 1)
    axes.set_title(f"How sure the network is of {sought} ({reported['split']}, {len(rows)} pictures)")
    axes.set_xlabel(f"Probability of {sought}")
    axes.set_ylabel("Pictures")
    axes.locator_params(axis="y", integer=True)
    figure.legend(loc="outside lower center", ncols=len(classes) + 1)
    return figure


def _as_share(axes: Axes) -> None:
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: percent(value, 0, ""))


def _curve(
    axes: Axes,
    history: History,
    best_epochs: Best,
    metric: str,
    title: str,
) -> dict[str, float]:
    """One metric of every stage with rate drops, best epochs and stage boundaries marked; returns {stage: the
    boundary where it begins}."""
    start, before, boundaries = 0, "", {}
    trained = {name: history[one.log_name] for name, one in STAGES.items() if history.get(one.log_name)}
    series: dict[str, tuple[list[int], list[float]]] = {"train": ([], []), "val": ([], [])}
    best: list[tuple[int, float]] = []
    drops: list[int] = []
    for name, stage in trained.items():
        length, epoch = len(stage.get(f"val_{metric}") or []), best_epochs.get(name)
        for part, (x, y) in series.items():
            found = [_number(value) for value in stage.get(f"{part}_{metric}") or []]
            x.extend(range(start + 1, start + 1 + len(found)))
            y.extend(found)
        if epoch and epoch <= length:
            best.append((start + epoch, _number(stage[f"val_{metric}"][epoch - 1])))
        rates = stage.get("lr") or []
        drops += [start + i + 1 for i in range(1, len(rates)) if rates[i] < rates[i - 1]]
        if start and length:
            boundaries[name] = start + 0.5
            axes.axvline(start + 0.5, color=MUTED, linewidth=1.5, label=f"{before} | {name}")
        start, before = start + length, name
    for part, colour, dash in (("train", TRAIN, "--"), ("val", VALIDATION, "-")):
        name = "training" if part == "train" else "validation"
        axes.plot(
            *series[part], color=colour, linestyle=dash, linewidth=2, label=name, marker=".", clip_on=False
        )
    for index, epoch in enumerate(drops):
        axes.axvline(
            epoch, color=MUTED, linestyle=":", linewidth=1, label="rate reduced" if not index else None
        )
    if best:
        epochs, values = zip(*best, strict=True)
        axes.scatter(
            epochs, values, s=90, color=ACCENT, marker="*", zorder=3, label="best epoch", clip_on=False
        )
    axes.set(title=title, xlabel="Epoch", xlim=(0.5, start + 0.5))
    axes.set_xticks(*marks([len(stage.get(f"val_{metric}") or []) for stage in trained.values()]))
    return boundaries


def _number(value: Any) -> float:
    """NaN for what is missing, so that a gap is drawn as a gap."""
    return math.nan if value is None else float(value)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@contextlib.contextmanager
def _style() -> Iterator[None]:
    """Our look for the figures drawn inside, with a Korean face where there is one."""
    import matplotlib
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    korean = [name for name in KOREAN_FACES if name in installed][:1]
    settings: dict[Any, Any] = {
        "font.family": ["DejaVu Sans", *korean],
        "axes.unicode_minus": False,
        "text.parse_math": False,  # a class may be called $x_1$
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "grid.color": "#E3E4EE",
        "legend.frameon": False,
    }
    with matplotlib.rc_context(settings):
        yield
