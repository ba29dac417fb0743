"""argparse's own words in the person's language: what was wrong with a command, and the help's headings."""

from __future__ import annotations

import re

from tl_core.base.messages import say

MISTAKES = {
    "missing": r"the following arguments are required: (?P<names>.+)",
    "unknown": r"unrecognized arguments: (?P<names>.+)",
    "choice": r"argument (?P<name>.+?): invalid choice: (?P<value>.+?) \(choose from (?P<known>.+)\)",
    "one_value": r"argument (?P<name>.+?): expected one argument",
    "kind": r"argument (?P<name>.+?): invalid \w+ value: (?P<value>.+)",
    "no_value": r"argument (?P<name>.+?): ignored explicit argument (?P<value>.+)",
    "ambiguous": r"ambiguous option: (?P<value>.+?) could match (?P<known>.+)",
}
"""{key under [usage]: argparse's sentence}; Python has no public way to them but the text."""
HEADINGS = {"usage": "usage:", "positionals": "positional arguments:", "options": "options:"}


def mistake(message: str, language: str) -> str:
    """A sentence of argparse's, said plainly; one that is not known stays as it is."""
    for key, pattern in MISTAKES.items():
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return say(f"usage.{key}", language, **found.groupdict())
    return message


def headed(text: str, language: str) -> str:
    """A help text with its headings in the person's language."""
    for key, heading in HEADINGS.items():
        text = re.sub(rf"^{heading}(?=\s)", say(f"usage.heading_{key}", language), text, flags=re.M)
    return text
