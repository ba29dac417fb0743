"""Questions of the lesson: `show("labels")` draws a step's quiz, `prediction("freeze")` asks first."""

from tl_ui.quiz.predicting import prediction
from tl_ui.quiz.view import show

__all__ = ["prediction", "show"]
