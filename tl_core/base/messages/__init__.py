"""The package's own sentences, in English and Korean: errors, reasons, warnings.

One TOML file per language with the same keys and placeholders; a test compares them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ko")


@cache
def catalogue(language: str) -> dict[str, str]:
    """All sentences of one language, keyed like `error.one_class`."""
    path = Path(__file__).with_name(f"{language if language in LANGUAGES else 'en'}.toml")
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, names in sections.items() for name, text in names.items()}


def say(key: str, language: str = "en", **values: Any) -> str:
    """The sentence under `key`, filled in; an unknown key or a missing value shows the key,
    since a message about an error must not raise one."""
    try:
        return catalogue(language)[key].format(**values)
    except (KeyError, IndexError):
        return f"{key} {values}" if values else key
