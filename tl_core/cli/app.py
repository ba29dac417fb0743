"""`app`: the pages, served by Streamlit as `make app` serves them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from tl_core.base.files.paths import app_dir, child_environment


def command(args: argparse.Namespace) -> list[str]:
    """What is run: the gate and the pages, on this machine's own address unless another is given."""
    options = ["--server.port", str(args.port)]
    if args.address:
        options += ["--server.address", args.address]
    return [sys.executable, "-m", "streamlit", "run", str(app_dir() / "server.py"), *options]


def serve(args: argparse.Namespace) -> int:
    """Becomes the server; where a process cannot become another (Windows), waits for it: its exit status."""
    environment = child_environment()
    if os.name == "posix":
        os.execve(sys.executable, command(args), environment)
    return subprocess.call(command(args), env=environment)
