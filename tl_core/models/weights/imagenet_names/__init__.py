"""What ImageNet's 1,000 classes are called, in the order of the outputs.

English is WordNet's first word for each class, as timm carries it. A language is one file beside this
one, keyed by WordNet id, with its source in its head; what it leaves out is said in English. `en.toml`
only tells apart the classes that share their first word.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from tl_core.base.messages import FALLBACK


@cache
def imagenet_names(language: str = FALLBACK) -> tuple[str, ...]:
    """All 1,000 names; English where the language has no file."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    words = zip(info.label_names(), info.label_descriptions(), strict=True)
    english = {wordnet_id: description.split(",")[0] for wordnet_id, description in words}
    return tuple({**english, **_written(FALLBACK), **_written(language)}.values())


@cache
def _written(language: str) -> dict[str, str]:
    path = Path(__file__).with_name(f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
