from tl_ui import shell

page = shell.start("head_swap")
