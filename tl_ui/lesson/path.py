"""The way through the lesson: nine steps, the ideas of each, where this person is and what is done.

The place is `?step=…&idea=…` and what is done `?done=…`, so a link or a reload opens the lesson where it was
left. Knows nothing of what the ideas show.
"""

from __future__ import annotations

from dataclasses import dataclass

from tl_ui.frame import state

QUIZ = "quiz"
STEPS: dict[str, tuple[str, ...]] = {
    "transferred": ("tasks", "race", "beginnings", "numbers", QUIZ),
    "inside": ("parts", "sees", "carry", QUIZ),
    "head_swap": ("old", "swap", "answers", "ways", QUIZ),
    "labels": ("folders", "numbers", QUIZ),
    "freeze": ("strategies", "map", "change", "cost", QUIZ),
    "two_stages": ("first", "rate", "aids", "story", QUIZ),
    "reading": ("accuracy", "matrix", "threshold", "overfitting", "advice", QUIZ),
    "which_model": ("table", "choice", QUIZ),
    "explain": ("next", QUIZ, "answer"),
}
"""The ideas of each step in order; `quiz` is the step's questions."""


@dataclass(frozen=True)
class LessonPlace:
    step: str
    idea: str

    @property
    def number(self) -> int:
        """Of the step, from 1."""
        return list(STEPS).index(self.step) + 1

    @property
    def idea_number(self) -> int:
        return STEPS[self.step].index(self.idea) + 1


PLACES = tuple(LessonPlace(step, idea) for step, ideas in STEPS.items() for idea in ideas)


def here() -> LessonPlace:
    """Where the address bar or the session says this person is; else the beginning. From then on the address
    bar names it: coming back from another page, it does not."""
    step = state.read("step")
    if step not in STEPS:
        return PLACES[0]
    idea = state.read("idea")
    place = LessonPlace(step, idea if idea in STEPS[step] else STEPS[step][0])
    go_to(place)
    state.keep("done", state.read("done"))
    return place


def go_to(place: LessonPlace) -> None:
    state.keep("step", place.step)
    state.keep("idea", place.idea)


def go_on(place: LessonPlace) -> None:
    """To the next idea; leaving a step's last one makes the step done."""
    if place.idea == STEPS[place.step][-1]:
        mark_done(place.step)
    if (following := after(place)) is not None:
        go_to(following)


def go_back(place: LessonPlace) -> None:
    if (earlier := before(place)) is not None:
        go_to(earlier)


def after(place: LessonPlace) -> LessonPlace | None:
    """None at the end."""
    index = PLACES.index(place) + 1
    return PLACES[index] if index < len(PLACES) else None


def before(place: LessonPlace) -> LessonPlace | None:
    """None at the beginning."""
    index = PLACES.index(place) - 1
    return PLACES[index] if index >= 0 else None


def start_of(step: str) -> LessonPlace:
    return LessonPlace(step, STEPS[step][0])


def done() -> set[str]:
    """Steps gone through: `?done=124` names them by their numbers, so a reload or a link keeps them."""
    numbers = state.read("done") or ""
    return {step for number, step in enumerate(STEPS, start=1) if str(number) in numbers}


def mark_done(step: str) -> None:
    found = done() | {step}
    state.keep("done", "".join(str(n) for n, name in enumerate(STEPS, start=1) if name in found))
