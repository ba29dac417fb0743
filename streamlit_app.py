"""Start: what this is, what the machine has, and one button that runs the whole thing."""

from tl_ui import shell
from tl_ui.text import t

page = shell.start("start")
shell.header(t("start.title"), t("start.lead"))
