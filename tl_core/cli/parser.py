"""What the command line accepts. Loads nothing heavy: `--help` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NoReturn

from tl_core import __version__
from tl_core.base.config import DEFAULT_PRESET, RunConfig, preset
from tl_core.base.messages import FALLBACK, LANGUAGES, program, say
from tl_core.base.setting import all_settings
from tl_core.base.stages import STAGES
from tl_core.cli import usage
from tl_core.export.formats import NAMES as FORMATS
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.synthetic.practice import SAMPLES


class UsageError(Exception):
    """A command that cannot be understood; `str` is the sentence."""


class Parser(argparse.ArgumentParser):
    """Says a mistake as one sentence in the person's language, instead of printing the usage."""

    language = FALLBACK

    def error(self, message: str) -> NoReturn:
        """Raises: UsageError."""
        command = self.prog.removeprefix(program()).strip()
        detail = usage.mistake(message, self.language)
        sentence = say("cli.usage", self.language, detail=detail, command=command)
        raise UsageError(" ".join(sentence.split()))

    def format_help(self) -> str:
        return usage.headed(super().format_help(), self.language)


def build_parser(language: str) -> Parser:
    """Help texts are said in `language`."""

    def text(name: str) -> str:
        # argparse fills in % by itself
        return say(f"help.{name}", language, names=", ".join(ARCHITECTURES)).replace("%", "%%")

    def add_help(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("-h", "--help", action="help", help=text("help"))

    parser = Parser(prog=program(), description=text("about"), add_help=False)
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
    _add_settings(train, text, language)

    add("cross-validate").add_argument("run", metavar="RUN", type=Path, help=text("run"))
    add("resume").add_argument("run", metavar="RUN", type=Path, help=text("run"))

    evaluate = add("evaluate")
    evaluate.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    evaluate.add_argument("data", metavar="DATA", type=Path, help=text("data"))

    predict = add("predict")
    predict.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    predict.add_argument("images", metavar="IMAGE", nargs="+", help=text("images"))
    predict.add_argument("--csv", metavar="FILE", type=Path, help=text("csv"))
    predict.add_argument("--rate", metavar="X", type=_above_zero, default=2.0, help=text("video_rate"))
    predict.add_argument("--smooth", metavar="X", type=_not_negative, default=1.0, help=text("video_smooth"))
    predict.add_argument("--copy-to", metavar="FOLDER", type=Path, help=text("copy_to"))

    serve = add("serve")
    serve.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    serve.add_argument("--port", metavar="N", type=int, default=8000, help=text("serve_port"))
    serve.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help=text("serve_host"))
    serve.add_argument("--token", metavar="TOKEN", help=text("token"))
    serve.add_argument("--max-mb", metavar="N", type=int, default=64, help=text("max_mb"))

    export = add("export")
    export.add_argument("run", metavar="RUN", type=Path, help=text("run"))
    export.add_argument("--format", choices=FORMATS, required=True, help=text("format"))
    export.add_argument("--output", metavar="PLACE", type=Path, required=True, help=text("export_output"))
    export.add_argument("--stage", choices=STAGES, help=text("stage"))
    export.add_argument("--web-runtime", metavar="fetch|FOLDER|cdn", help=text("web_runtime"))

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

    pages = add("app")
    pages.add_argument("--port", metavar="N", type=int, default=8501, help=text("port"))
    pages.add_argument("--address", metavar="ADDRESS", help=text("address"))

    add("doctor")
    return parser


def _add_settings(train: argparse.ArgumentParser, text: Callable[[str], str], language: str) -> None:
    """One option per setting but the tables, which a --config file holds; None unless given, so that a preset
    or a file decides the rest."""
    train.add_argument("--config", metavar="FILE.toml", type=Path, help=text("config"))
    usual = preset(DEFAULT_PRESET)
    for name, one in all_settings(RunConfig).items():
        if dict in one.kinds:
            continue
        flag = one.flag or f"--{_option(name)}"
        default = attrgetter(name)(usual)
        said = text(flag.removeprefix("--").replace("-", "_"))
        if about := one.range_in_words(language, default):
            said = f"{said} ({about})"
        add = partial(train.add_argument, flag, dest=name, default=None, help=said)
        if bool not in one.kinds:
            kind = next(kind for kind in (int, float, str) if kind in one.kinds)
            metavar = None if one.choices else {int: "N", float: "X"}.get(kind, flag.strip("-").upper())
            add(type=kind, choices=one.choices or None, metavar=metavar)
        elif one.flag:
            add(action="store_const", const=not default)
        else:
            add(action=argparse.BooleanOptionalAction)


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:  # nan is neither
        raise ValueError
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError
    return value


def _option(name: str) -> str:
    """Stages are called by their number here: `head.epochs` -> "stage1-epochs"."""
    stage, _, own = name.rpartition(".")
    return f"{f'{STAGES[stage].log_name}-' if stage else ''}{own}".replace("_", "-")
