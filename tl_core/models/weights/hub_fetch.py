"""One file out of the Hugging Face hub, watched while it comes and proven whole.

The download itself runs in a process of its own (`hub_download`), because the library reads its
settings at import, retries for minutes, and cannot be stopped from outside while it waits.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tl_core.base.errors import WeightsUnavailable
from tl_core.base.files.paths import child_environment
from tl_core.models.weights.hub import SHA256, Limits, OnBytes, RemoteFile, ask, cache_dir, drop, endpoint
from tl_core.models.weights.state_dicts import file_sha256


class Watch:
    """Has a download stalled? Counts the most bytes ever seen, so starting over is no progress."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most = self._most_then = 0
        self._then = time.monotonic()

    def is_stalled(self, num_bytes: int) -> bool:
        self._most = max(self._most, num_bytes)
        if time.monotonic() - self._then < self._limits.stall_seconds:
            return False
        if self._most - self._most_then < self._limits.least_bytes:
            return True
        self._then, self._most_then = time.monotonic(), self._most
        return False


def fetch(
    source: str, repo: str, file: str, *, wait_seconds: float, limits: Limits, on_progress: OnBytes | None
) -> Path:
    """Download into the library's cache; the sha256 that the hub linked to the file is checked.

    Raises: WeightsUnavailable: no_network, hub_slow, hub_truncated, hub_error, disk_full, permission.
        Nothing unsound is left in the cache.
    """
    remote = ask(source, repo, file, wait_seconds=wait_seconds)
    blobs = cache_dir() / f"models--{repo.replace('/', '--')}" / "blobs"
    with tempfile.TemporaryFile() as output:
        child = _start(repo, file, limits, output)
        try:
            _wait(child, blobs, remote, source, limits, on_progress, output)
        finally:
            _end(child, blobs, remote.etag)
        answer = _last_json(output)
    if "path" not in answer:
        raise WeightsUnavailable(
            source=source, reason=answer.get("reason", "hub_error"), detail=answer.get("detail", "no answer")
        )
    path = Path(answer["path"])
    if SHA256.fullmatch(remote.etag) and file_sha256(path) != remote.etag:
        drop(path)
        raise WeightsUnavailable(source=source, reason="hub_truncated", detail="sha256 differs")
    return path


def _start(repo: str, file: str, limits: Limits, output: Any) -> subprocess.Popen:
    environment = child_environment(
        HF_ENDPOINT=endpoint(),
        HF_HUB_DOWNLOAD_TIMEOUT=str(max(1, round(limits.stall_seconds))),
        HF_HUB_DISABLE_XET="1",  # one plain HTTP download: its bytes can be watched as they come
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_VERBOSITY="warning",  # its complaints about broken transfers are read below
    )
    command = [
        sys.executable,
        "-P",
        "-m",
        "tl_core.models.weights.hub_download",
        repo,
        file,
        str(cache_dir()),
    ]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # closes when this process dies, and then the child ends itself
        stdout=output,
        stderr=output,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _wait(
    child: subprocess.Popen,
    blobs: Path,
    remote: RemoteFile,
    source: str,
    limits: Limits,
    on_progress: OnBytes | None,
    output: Any,
) -> None:
    watch = Watch(limits)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.2)
            return
        num_bytes = sum(_size(part) for part in _parts(blobs, remote.etag))
        if on_progress is not None:
            on_progress(num_bytes, remote.size)
        if watch.is_stalled(num_bytes):
            output.seek(0)
            # a server that keeps breaking off is tried again and again by the library
            broke_off = b"peer closed" in output.read()
            reason = "hub_truncated" if broke_off else "hub_slow"
            raise WeightsUnavailable(source=source, reason=reason, detail=f"{num_bytes} bytes")


def _end(child: subprocess.Popen, blobs: Path, etag: str) -> None:
    """Make sure the child is gone and leaves no half file (listed while it still holds the lock)."""
    left = _parts(blobs, etag) if child.poll() is None else []
    child.kill()
    child.wait()
    if child.stdin:
        child.stdin.close()
    for part in left:
        part.unlink(missing_ok=True)


def _parts(blobs: Path, etag: str) -> list[Path]:
    return list(blobs.glob(f"{etag}*.incomplete"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _last_json(output: Any) -> dict[str, Any]:
    output.seek(0)
    for line in reversed(output.read().decode("utf-8", "replace").splitlines()):
        if line.startswith("{"):
            with contextlib.suppress(json.JSONDecodeError):
                return json.loads(line)
    return {}
