"""The package's own sentences in every language: errors, reasons, warnings.

A language is its TOML files: one here, one of the network's class names, the pages' folder under
`tl_ui/locales`, the quiz's questions. All have the same keys and placeholders; a test compares them.
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.toml")))
FALLBACK = "en"
"""For whoever speaks none of them."""
INSTALLED = "headswap"
"""The command of a copy that pip has installed."""


def closest(locale: str) -> str:
    """The language of a locale, as systems and browsers name it: "ko-KR", "ko_KR.UTF-8", "Korean_Korea"."""
    return next((name for name in LANGUAGES if locale.lower().startswith(name)), FALLBACK)


def program() -> str:
    """How the person called us, for sentences that name the next command."""
    return INSTALLED if Path(sys.argv[0]).stem == INSTALLED else "python -m tl_core"


@cache
def catalogue(language: str) -> dict[str, str]:
    """All sentences of one language, keyed like `error.one_class`."""
    path = Path(__file__).with_name(f"{language if language in LANGUAGES else FALLBACK}.toml")
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, names in sections.items() for name, text in names.items()}


def say(key: str, language: str = FALLBACK, **values: Any) -> str:
    """The sentence under `key`, filled in; an unknown key or a missing value shows the key,
    since a message about an error must not raise one. {program} is how this command line was called."""
    try:
        return catalogue(language)[key].format(program=program(), **values)
    except (KeyError, IndexError):
        return f"{key} {values}" if values else key
