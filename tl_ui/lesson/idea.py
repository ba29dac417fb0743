"""What one idea of the lesson consists of, besides its words in the catalogue."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from tl_ui.lesson.path import LessonPlace


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
    values: Callable[[], dict[str, str]] | None = None
    # what the words' placeholders stand for, where they speak of the network in use

    def given(self) -> dict[str, str]:
        """The values for its words; none where they stand as they are."""
        return self.values() if self.values else {}


def idea_of(place: LessonPlace) -> Idea:
    """Looked up in the module of the step, which is imported when it is first shown."""
    return importlib.import_module(f"tl_ui.lesson.steps.{place.step}").IDEAS[place.idea]
