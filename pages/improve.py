"""Improve: to be filled."""

from tl_ui import shell
from tl_ui.text import t

page = shell.start("improve")
shell.header(t("shell.page_improve"), "")
