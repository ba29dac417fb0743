"""One picture as a person gave it to Classify."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Given:
    """A picture to classify. content: the file itself, or where it lies."""

    name: str
    content: bytes | Path
    truth: str | None = None
