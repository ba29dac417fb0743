"""What the command line accepts. Loads nothing heavy: `--help` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from tl_core import __version__
from tl_core.base.config import PRESETS
from tl_core.base.messages import FALLBACK, LANGUAGES, say
from tl_core.cli import usage
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.synthetic.practice import SAMPLES

PROGRAM = "python -m tl_core"


class UsageError(Exception):
    """A command that cannot be understood; `str` is the sentence."""


class Parser(argparse.ArgumentParser):
    """Says a mistake as one sentence in the person's language, instead of printing the usage."""

    language = FALLBACK

    def error(self, message: str) -> NoReturn:
        command = self.prog.removeprefix(PROGRAM).strip()
        detail = usage.mistake(message, self.language)
        sentence = say("cli.usage", self.language, detail=detail, command=command)
        raise UsageError(" ".join(sentence.split()))

    def format_help(self) -> str:
        return usage.headed(super().format_help(), self.language)


def build_parser(language: str) -> Parser:
    """Help texts are said in `language`."""

    def text(name: str, **values: str) -> str:
        # argparse fills in % by itself
        return say(f"help.{name}", language, **values).replace("%", "%%")

    def add_help(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("-h", "--help", action="help", help=text("help"))

    parser = Parser(prog=PROGRAM, description=text("about"), add_help=False)
    parser.language = language
    add_help(parser)
    parser.add_argument("--version", action="version", version=__version__, help=text("version"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str) -> Parser:
        said = text(name.replace("-", "_"))
        command: Parser = commands.add_parser(name, help=said, description=said, add_help=False)
        command.language = language
        add_help(command)
        command.add_argument("--json", action="store_true", help=text("json"))
        return command

    train = add("train")
    train.add_argument("data", metavar="DATA", type=Path, help=text("data"))
    train.add_argument("--output", metavar="RUN", type=Path, help=text("output"))
    _add_settings(train, text)

    add("cross-validate").add_argument("run", metavar="RUN", type=Path, help=text("run"))
    add("resume").add_argument("run", metavar="RUN", type=Path, help=text("run"))

    evaluate = add("evaluate")
    evaluate.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    evaluate.add_argument("data", metavar="DATA", type=Path, help=text("data"))

    predict = add("predict")
    predict.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    predict.add_argument("images", metavar="IMAGE", nargs="+", help=text("images"))

    probe = add("probe")
    probe.add_argument("data", metavar="DATA", type=Path, help=text("data"))
    probe.add_argument("--seed", metavar="N", type=int, help=text("probe_seed"))

    sample = add("sample-data")
    sample.add_argument("name", choices=SAMPLES, help=text("name"))
    sample.add_argument("out", metavar="OUT", type=Path, help=text("out"))
    sample.add_argument("--seed", metavar="N", type=int, default=0, help=text("seed"))

    report = add("report")
    report.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    report.add_argument("--output", metavar="FILE", type=Path, help=text("report_output"))
    report.add_argument("--language", choices=LANGUAGES, help=text("report_language"))

    add("doctor")
    return parser


def _add_settings(train: argparse.ArgumentParser, text: Callable[..., str]) -> None:
    """Options that are None unless given, so that a preset or a file decides the rest."""
    for flag, kind, metavar in (
        ("--weights", str, "SOURCE"),
        ("--seed", int, "N"),
        ("--stage1-epochs", int, "N"),
        ("--stage2-epochs", int, "N"),
        ("--config", Path, "FILE.toml"),
        ("--positive", str, "CLASS"),
        ("--views", int, "N"),
        ("--batch-size", int, "N"),
        ("--device", str, "DEVICE"),
        ("--threads", int, "N"),
        ("--groups", str, "GROUPS"),
    ):
        name = flag.removeprefix("--").replace("-", "_")
        train.add_argument(flag, type=kind, metavar=metavar, help=text(name))
    train.add_argument("--preset", choices=sorted(PRESETS), help=text("preset"))
    train.add_argument("--library", choices=("timm", "torchvision"), help=text("library"))
    train.add_argument("--backbone", metavar="NAME", help=text("backbone", names=", ".join(ARCHITECTURES)))
    precisions = ("auto", "fp32", "bf16", "fp16")
    train.add_argument("--precision", choices=precisions, help=text("precision"))
    train.add_argument("--deterministic", action="store_true", help=text("deterministic"))
    train.add_argument("--ignore-decisions", action="store_true", help=text("ignore_decisions"))
