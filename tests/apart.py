"""Commands run apart: an empty home, no network, and a name server of our own that only writes down.

`run_apart` puts them into a network and a mount namespace (Linux, `unshare`). There /etc/resolv.conf leads
to a server that answers "no such name", so that whatever asks is heard, in whichever language it is written;
addresses that Python connects to without asking for a name are heard by an audit hook.

This file is also the program that runs inside: `python tests/apart.py FOLDER COMMAND …`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ["unshare", "--map-root-user", "--net", "--mount"]
HOOK = """
import ipaddress, os, sys

def heard(event, args):
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = str(args[1][0])
    try:
        is_here = ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return  # a name: the name server hears of it
    if not is_here:
        with open(os.environ["APART_HEARD"], "a") as file:
            print(host, file=file)

sys.addaudithook(heard)
"""
"""As `sitecustomize.py` of every Python inside."""


@dataclass(frozen=True)
class Apart:
    status: int
    text: str
    asked: set[str]
    # names that were to be resolved, addresses that were to be connected to
    written: list[str]
    # files that are in the home folder afterwards


def can_be_made() -> bool:
    """Whether this system lets us make such namespaces."""
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("mount"):
        return False
    return subprocess.run([*OUT, "true"], capture_output=True).returncode == 0


def run_apart(folder: Path, *command: object, **environment: str) -> Apart:
    """Run `command` with `folder`/home for its home; runs, cache and state are below `folder` too."""
    home, heard = folder / "home", folder / "heard"
    for place in (home, folder / "hook", folder / "tmp"):
        place.mkdir(parents=True, exist_ok=True)
    (folder / "hook" / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    heard.write_text("", encoding="utf-8")
    kept = ("PATH", "LANG", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    env = {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": str(home),
        "TMPDIR": str(folder / "tmp"),
        "HEADSWAP_CACHE": str(folder / "cache"),
        "HEADSWAP_RUNS": str(folder / "runs"),
        "HEADSWAP_STATE": str(folder / "state"),
        "PYTHONPATH": os.pathsep.join([str(folder / "hook"), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "APART_HEARD": str(heard),
        **environment,
    }
    inside = [*OUT, sys.executable, __file__, str(folder), *map(str, command)]
    done = subprocess.run(inside, cwd=folder, env=env, capture_output=True, text=True, errors="replace")
    written = [str(path.relative_to(home)) for path in sorted(home.rglob("*")) if not path.is_dir()]
    asked = set(heard.read_text(encoding="utf-8").split())
    return Apart(done.returncode, done.stdout + done.stderr, asked, written)


# ------------------------------------------------------------------ inside


def _question(query: bytes) -> str:
    """The name that a DNS query asks for (RFC 1035, 4.1.2)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels).lower()


def _answer_no(server: socket.socket, heard: Path) -> None:
    while True:
        query, sender = server.recvfrom(4096)
        with heard.open("a", encoding="utf-8") as file:
            print(_question(query), file=file)
        server.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], sender)


def _lie_still(folder: Path) -> None:
    """The loopback up, and every question for a name answered by us."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    mine = folder / "resolv.conf"
    mine.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="utf-8")
    subprocess.run(["mount", "--bind", str(mine), str(Path("/etc/resolv.conf").resolve())], check=True)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    heard = Path(os.environ["APART_HEARD"])
    threading.Thread(target=_answer_no, args=(server, heard), daemon=True).start()


if __name__ == "__main__":
    _lie_still(Path(sys.argv[1]))
    sys.exit(subprocess.run(sys.argv[2:]).returncode)
