"""Make this folder ready: a virtual environment in .venv with the pinned requirements.

    python scripts/setup.py app     what the app needs
    python scripts/setup.py dev     that, and what the tests and checks need

Called again, it does nothing (and asks no network) as long as .venv holds what the requirement
files ask for. A half-finished install is mended by the next call. Standard library only, and
written so that an old Python can still read it and be told that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
UNFINISHED = VENV / ".install-unfinished"
LOG = VENV / ".install-log.txt"
REQUIREMENTS = {"app": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
OLDEST = (3, 11)
THIS = ".".join(str(number) for number in sys.version_info[:2])
# GB. On Linux the torch wheel carries CUDA's libraries, used or not; measured with the pinned versions
INSTALLED_GB, DOWNLOAD_GB = (7.0, 3.0) if sys.platform.startswith("linux") else (2.0, 0.7)
NEED_GB = INSTALLED_GB + DOWNLOAD_GB
FULL_DISK = ("No space left on device", "[Errno 28]", "[WinError 112]")
NO_NETWORK = ("NewConnectionError", "NameResolutionError", "ConnectTimeout", "ReadTimeout", "ProxyError")
# run by .venv's Python: prints name==version of every package with missing or shortened files
DAMAGED = """
import importlib.metadata as metadata
for package in metadata.distributions():
    try:
        whole = package.files is not None and all(
            file.size is None or (file.locate().exists() and file.locate().stat().st_size == file.size)
            for file in package.files if file.suffix != ".pyc"
        )
        if not whole and package.metadata["Name"] not in ("pip", "setuptools"):
            print(package.metadata["Name"] + "==" + package.version)
    except (OSError, TypeError, KeyError):
        pass
"""
PROBE = "import torch, torchvision, timm, cv2, albumentations, sklearn, pandas, streamlit, plotly, matplotlib"


class SetupError(Exception):
    """Said as one sentence; the exit status is 2."""


def say(text):
    print("[setup] " + text, flush=True)


def fingerprint(kind):
    """What an install depends on: the requirement files, the Python version, the place of .venv."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {VENV}".encode())
    for name in REQUIREMENTS[kind]:
        # as lines, since git may give Windows other line ends
        digest.update("\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()).encode())
    return digest.hexdigest()


def stamp(kind):
    return VENV / (".installed-" + kind)


def is_ready(kind):
    """Whether .venv already holds what `kind` asks for; reads three small files, imports nothing."""
    try:
        is_same = stamp(kind).read_text(encoding="utf-8") == fingerprint(kind)
    except OSError:
        return False
    return is_same and PYTHON.exists() and not UNFINISHED.exists()


def require_python():
    if sys.version_info < OLDEST:
        raise SetupError(
            f"This is Python {THIS}; Headswap needs 3.11 or newer. Install one from https://www.python.org "
            "(or your system's packages) and name it: make app PYTHON=python3.11"
        )


def require_disk():
    """Only before a first install: an upgrade replaces what is there."""
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < NEED_GB:
        raise SetupError(
            f"The disk of {ROOT} has {free_gb:.1f} GB free; the first install needs about {NEED_GB:.0f} GB "
            f"for a while and keeps {INSTALLED_GB:.0f}. Free some space, or clone to another disk, "
            "and call this again."
        )


def works(*code):
    """Whether the environment's own Python runs `code`."""
    try:
        done = subprocess.run([str(PYTHON), *code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode == 0


def make_venv():
    """An environment with pip in it; one that is broken, moved or of another Python is made anew."""
    is_same_python = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    if PYTHON.exists() and works("-c", is_same_python):
        return
    if VENV.exists():
        say("The folder .venv is not usable (broken, moved, or of another Python): making it anew.")
        shutil.rmtree(VENV)
    require_disk()
    say("Making a virtual environment in .venv (a few seconds).")
    try:
        import ensurepip  # noqa: F401  Debian and Ubuntu leave it out of their plain python3
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            "This Python cannot make virtual environments. On Debian or Ubuntu: "
            "sudo apt install python3-venv, then call this again."
        ) from None
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)])
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(
            "The virtual environment could not be made; the reason stands above. On Debian or Ubuntu "
            "the package python3-venv is often what is missing: sudo apt install python3-venv"
        )


def why_pip_failed():
    """pip's many words, as the one sentence a person can act on."""
    try:
        log = LOG.read_text(encoding="utf-8", errors="replace")
    except OSError:
        log = ""
    if any(sign in log for sign in FULL_DISK):
        return f"The disk is full. Free about {NEED_GB:.0f} GB and call this again; it goes on from there."
    if any(sign in log for sign in NO_NETWORK):
        return (
            "The package index cannot be reached. The first install needs the internet "
            "(later starts do not): connect, or set your proxy (HTTPS_PROXY), and call this again."
        )
    if "No matching distribution found" in log:
        return (
            f"One of the pinned libraries has no build for Python {THIS} on this system; its name stands "
            "above. Use Python 3.11 to 3.13 on 64-bit Linux, on Windows, or on a Mac with Apple's processor."
        )
    return f"pip failed; the reason stands above and in {LOG}. Call this again to go on."


def pip_install(*what):
    """Temporary files go beside .venv's own: a small /tmp could not hold the downloads."""
    temporary = VENV / ".tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    LOG.unlink(missing_ok=True)
    places = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--log", str(LOG)]
    try:
        done = subprocess.run([*command, *what], env={**os.environ, **places})
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if done.returncode:
        raise SetupError(why_pip_failed())


def mend_damaged():
    """pip trusts the names it finds; files that an interruption left out come back only this way."""
    found = subprocess.run([str(PYTHON), "-c", DAMAGED], stdout=subprocess.PIPE, text=True)
    damaged = found.stdout.split()
    if damaged:
        say("Writing anew what was left incomplete: " + ", ".join(damaged))
        pip_install("--ignore-installed", "--no-deps", *damaged)


def install(kind):
    what = {"app": "the app", "dev": "the app, the tests and the checks"}[kind]
    is_first = not stamp("app").exists() and not stamp("dev").exists()
    was_broken_off = UNFINISHED.exists()
    make_venv()
    say(f"Installing the libraries of {what} with pip; PyTorch is the largest.")
    if is_first:
        say(
            f"Once only: about {DOWNLOAD_GB:g} GB to download, {INSTALLED_GB:g} GB on the disk, some minutes."
        )
    if was_broken_off:
        say("The last install did not finish: going on with it.")
    UNFINISHED.write_text("An install began and has not ended.\n", encoding="utf-8")
    started = time.monotonic()
    pip_install("-r", str(ROOT / REQUIREMENTS[kind][-1]))
    if was_broken_off:
        mend_damaged()
    say("Checking that the libraries load (up to a minute the first time).")
    if subprocess.run([str(PYTHON), "-c", PROBE]).returncode:
        raise SetupError(
            "The libraries are installed but do not load; the reason stands above. If it names a missing "
            "file, delete the folder .venv and call this again."
        )
    if kind == "dev":
        stamp("app").write_text(fingerprint("app"), encoding="utf-8")
    stamp(kind).write_text(fingerprint(kind), encoding="utf-8")
    UNFINISHED.unlink()
    say(f"Ready after {time.monotonic() - started:.0f} seconds. From now on no internet is needed to start.")


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "app"
    if kind not in REQUIREMENTS:
        print(__doc__)
        return 2
    try:
        require_python()
        if not is_ready(kind):
            install(kind)
    except SetupError as error:
        print("\n[setup] " + str(error), file=sys.stderr)
        return 2
    except OSError as error:
        why = "The disk is full. Free some space and call this again." if error.errno == 28 else str(error)
        print("\n[setup] " + why, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\n[setup] Stopped. Call it again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
