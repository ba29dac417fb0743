"""Runs one command: language, console, errors, exit status."""

from __future__ import annotations

import contextlib
import json
import locale
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from tl_core.base.errors import OutputUnwritable, TlError
from tl_core.base.files.atomic import output_errors, to_json
from tl_core.base.messages import closest, say
from tl_core.cli import commands
from tl_core.cli.parser import UsageError, build_parser


def main(arguments: list[str] | None = None) -> int:
    """The exit status. Standard output gets the answer and nothing else."""
    for stream in (sys.stdout, sys.stderr):
        # a console that lacks a character shows another instead of ending the program
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    language = person_language()
    try:
        args = build_parser(language).parse_args(arguments)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    answers = sys.stdout
    try:
        # libraries like to print: only the answer belongs on standard output
        with contextlib.redirect_stdout(sys.stderr):
            answer = commands.COMMANDS[args.command](args, language)
        _print(_as_json(answer.content, answers) if args.json else answer.text, answers)
    except TlError as error:
        print(" ".join(error.message(language).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(say("cli.aborted", language), file=sys.stderr)
        return 130
    return answer.status


def person_language() -> str:
    """HEADSWAP_LANG, or what the system is set to."""
    names = ("HEADSWAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    said = next((value for name in names if (value := os.environ.get(name))), None)
    if said is None:
        # Windows keeps it elsewhere, and says "Korean_Korea"
        said = locale.getlocale()[0] or ""
    return closest(said)


def _as_json(content: dict[str, Any], stream: TextIO) -> str:
    text = to_json(content, indent=2)
    is_utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
    # elsewhere a name in another script would be lost: escaped, it arrives whole
    return text if is_utf8 else json.dumps(json.loads(text), indent=2)


def _print(text: str, stream: TextIO) -> None:
    """Raises: OutputUnwritable: the file that standard output leads to is full."""
    if not text:
        return
    try:
        with output_errors(Path("<stdout>")):
            print(text, file=stream, flush=True)
    except OutputUnwritable as error:
        # keep the interpreter from complaining at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error.__cause__, BrokenPipeError):  # `… | head`: nobody reads on
            raise
