"""Lesson: from "what is transferred?" to "explain what I did", one idea at a time."""

from tl_ui.frame import shell
from tl_ui.lesson import page

shell.start("lesson")
page.draw()
