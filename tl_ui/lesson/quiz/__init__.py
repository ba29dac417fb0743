"""Questions of the lesson: `show("labels")` draws a step's quiz, `prediction("freeze")` asks first."""

from tl_ui.lesson.quiz.predicting import prediction
from tl_ui.lesson.quiz.view import show

__all__ = ["prediction", "show"]
