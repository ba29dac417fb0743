"""What one idea of the lesson consists of, besides its words in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Idea:
    """Words: `lesson_<step>.<name>_title`, `_says` and `_teacher` (a note for the teacher)."""

    live: Callable[[], None]
    # draws what the words are about
    code: tuple[str, ...] = ()
    # "tl_core.models.backbone:TransferModel.replace_head": shown from the running source
    is_wide: bool = False
    # the live part takes the whole width, under the words
    predicts: bool = False
    # asks the step's prediction before the live part is shown
    tells_the_answer: bool = False
    # the words too wait for the prediction
