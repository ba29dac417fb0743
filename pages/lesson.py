"""Lesson: to be filled."""

from tl_ui import shell
from tl_ui.text import t

page = shell.start("lesson")
shell.header(t("shell.page_lesson"), "")
