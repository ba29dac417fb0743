"""card.json, for programs, and README.md, for people, beside what was exported: what it is, how it was
checked and what came out, in every language that the package speaks."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

from tl_core.base.files.atomic import to_json
from tl_core.base.messages import LANGUAGES, say
from tl_core.base.percent import percent
from tl_core.export.check import LEAST_EQUAL, TOLERANCE
from tl_core.export.formats.record import Format
from tl_core.export.subject import Subject

FILE, README = "card.json", "README.md"
VERSIONS = ("torch", "timm", "onnx", "onnxruntime", "numpy", "pillow", "opencv-python-headless")


def content(
    subject: Subject, form: Format, folder: Path, check: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    """What card.json holds. check: as `check.compare` says, and perhaps "pixels"; seconds: as
    `check.speeds` says, {} where the network alone cannot be asked."""
    own = subject.predictor.path.stat().st_size
    num_bytes = sum((folder / name).stat().st_size for name in form.models if (folder / name).is_file())
    return {
        "format": form.name,
        **subject.about(),
        "runtime": form.runtime(),
        "check": check,
        "seconds_per_picture": seconds,
        "speed_ratio": {
            name: spent / seconds["export"] for name, spent in seconds.items() if name != "export"
        },
        "bytes": num_bytes,
        "size_ratio": own / num_bytes if num_bytes else None,
        "files": {},
        "versions": {name: metadata.version(name) for name in VERSIONS},
    }


def sums(folder: Path) -> dict[str, dict[str, Any]]:
    """{file, as a path below `folder`: its bytes and SHA-256}. Raises: OSError."""
    return {
        path.relative_to(folder).as_posix(): _sum(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, card: dict[str, Any], form: Format) -> None:
    """Raises: OSError."""
    (folder / FILE).write_text(to_json(card, indent=2) + "\n", encoding="utf-8")
    pages = "\n\n---\n\n".join(_page(card, form, language) for language in LANGUAGES)
    (folder / README).write_text(pages + "\n", encoding="utf-8")


def lines(card: dict[str, Any], language: str) -> list[str]:
    """The check in sentences: for the command line, the page and README.md."""

    def word(key: str, **values: Any) -> str:
        return say(f"export.{key}", language, **values)

    check, accuracy = card["check"], card["check"]["accuracy"]
    counts = {"num": check["num"], "held_out": check["num"] - check["num_drawn"], "drawn": check["num_drawn"]}
    differences = {"largest": f"{check['largest_difference']:.1e}", "mean": f"{check['mean_difference']:.1e}"}
    told = [
        word(_verdict(check)),
        *(word(reason, tolerance=TOLERANCE, least=percent(LEAST_EQUAL)) for reason in check["reasons"]),
        word("checked_on", runtime=card["runtime"], **counts),
        word("labels", equal=check["num"] - check["num_labels_differ"], num=check["num"]),
        word("differences", **differences),
    ]
    if pixels := check.get("pixels"):
        told.append(
            word("pixels", share=percent(pixels["share_differing"], 3, ""), largest=pixels["largest"])
        )
    if accuracy is None:
        told.append(word("accuracy_unknown"))
    else:
        values = {
            f"{who}_{what}": value for who in ("run", "export") for what, value in _shares(accuracy[who])
        }
        told.append(word("accuracy", **values, num=accuracy["num"]))
        told.append(word("flips", gained=accuracy["gained"], lost=accuracy["lost"], p=f"{accuracy['p']:.2f}"))
    for rival, ratio in card["speed_ratio"].items():
        milliseconds = f"{1000 * card['seconds_per_picture']['export']:.1f}"
        told.append(word(f"speed_{rival}", ratio=f"{ratio:.2f}", milliseconds=milliseconds))
    told.append(word("size", mib=f"{card['bytes'] / 2**20:.1f}", ratio=f"{card['size_ratio']:.2f}"))
    return told


def _verdict(check: dict[str, Any]) -> str:
    if not check["passed"]:
        return "failed"
    return "passed_nearly" if check["num_labels_differ"] else "passed"


def _shares(one: dict[str, Any]) -> list[tuple[str, str]]:
    low, high = one["interval"]
    return [("accuracy", percent(one["accuracy"])), ("low", percent(low)), ("high", percent(high))]


def _page(card: dict[str, Any], form: Format, language: str) -> str:
    def word(key: str, **values: Any) -> str:
        return say(f"export.{key}", language, **values)

    answers = [word("classes", names=", ".join(card["classes"]))]
    if card["threshold"] is not None:
        threshold = percent(card["threshold"])
        answers.append(word("threshold", name=card["positive_class"], threshold=threshold))
    if card["temperature"] is not None:
        answers.append(word("temperature", temperature=f"{card['temperature']:.2f}"))
    answers.append(word("unsure", limit=percent(card["sure_from"] or card["usual_sure_from"])))
    answers.append(word("closed"))
    weights = {"label": card["weights_label"], "licence": card["licence_of_weights"]}
    made = {"run": card["run"], "backbone": card["backbone"], "stage": card["stage"] or "–"}
    return "\n".join(
        [
            f"# {word('title', run=card['run'], format=card['format'])}",
            "",
            word(f"for_{card['format'].replace('-', '_')}"),
            "",
            *(["```", form.usage, "```", ""] if form.usage else []),
            f"## {word('check_title')}",
            "",
            *(f"- {line}" for line in lines(card, language)),
            "",
            f"## {word('answers_title')}",
            "",
            *(f"- {line}" for line in answers),
            "",
            f"## {word('origin_title')}",
            "",
            f"- {word('origin', **made)}",
            f"- {word('weights', **weights)}",
            f"- {word('telemetry')}",
        ]
    )


def _sum(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
