"""The Hugging Face hub: is a file cached, does the hub answer, and why not.

Environment variables are the library's: HF_ENDPOINT, HF_HUB_OFFLINE, HF_HOME, HF_HUB_CACHE.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tl_core.base.errors import WeightsUnavailable
from tl_core.models.weights.state_dicts import file_sha256

SHA256 = re.compile(r"[0-9a-f]{64}")
"""What the hub calls a large file by."""

OnBytes = Callable[[int, int], None]
"""bytes so far, bytes in all (0 when unknown)"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    probe_seconds: float = 3.0
    # `auto` waits this long for a first answer
    answer_seconds: float = 10.0
    # an explicit wish waits this long
    stall_seconds: float = 20.0
    # a download that in this time
    least_bytes: int = 100_000
    # does not bring this much more has stalled


@dataclass(frozen=True)
class RemoteFile:
    etag: str
    # sha256 of the content for large files
    size: int
    # bytes; 0 when the hub does not say


def endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def cache_dir() -> Path:
    """Where the library caches, read now and not at its import."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.path.expandvars(os.environ[name])).expanduser()
    if os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(os.environ["HF_HOME"])).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "huggingface" / "hub"


def is_offline() -> bool:
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in ("1", "ON", "YES", "TRUE")


def find(repo: str, file: str) -> Path | None:
    """The cached file, unchecked; touches no network."""
    if not (cache_dir() / f"models--{repo.replace('/', '--')}").is_dir():
        return None  # without importing the library: the usual case on a fresh machine
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, file, cache_dir=cache_dir())
    return Path(found) if isinstance(found, str) else None


def find_sound(repo: str, file: str) -> Path | None:
    """The cached file if its content is what its name in the cache says; a damaged one is removed.

    (Without symbolic links, as on most Windows machines, the cache keeps no such name: there the
    content was checked when it came down.)
    """
    path = find(repo, file)
    if path is None or not path.is_symlink():
        return path
    promised = path.readlink().name
    if SHA256.fullmatch(promised) and file_sha256(path) != promised:
        drop(path)
        return None
    return path


def drop(path: Path) -> None:
    """Take a damaged file out of the cache, the content and the name that points to it."""
    content = path.resolve()
    path.unlink(missing_ok=True)
    content.unlink(missing_ok=True)


def ask(source: str, repo: str, file: str, *, wait_seconds: float) -> RemoteFile:
    """One HEAD request, answered or given up within `wait_seconds`.

    Raises: WeightsUnavailable: no_network, hub_slow or hub_error.
    """
    if is_offline():
        raise WeightsUnavailable(source=source, reason="no_network", detail="HF_HUB_OFFLINE")
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    def head() -> Any:
        url = hf_hub_url(repo, file, endpoint=endpoint())
        return get_hf_file_metadata(url, timeout=wait_seconds, endpoint=endpoint())

    found = answered_within(wait_seconds, head, source)
    if not found.etag or not found.commit_hash:
        raise WeightsUnavailable(source=source, reason="hub_error", detail="no etag: not a hub's answer")
    return RemoteFile(found.etag, found.size or 0)


def answered_within(seconds: float, call: Callable[[], Any], source: str) -> Any:
    """`call`'s answer. In a thread, since a name server can hang longer than any socket timeout.

    Raises: WeightsUnavailable: whatever went wrong, as a reason.
    """
    box: list[Any] = []

    def run() -> None:
        try:
            box.append((call(), None))
        except Exception as error:  # every failure becomes a reason below
            box.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not box:
        raise WeightsUnavailable(source=source, reason="hub_slow", detail=f"{seconds:g} s")
    answer, error = box[0]
    if error is not None:
        refuse(source, error)
    return answer


def refuse(source: str, error: BaseException) -> NoReturn:
    """Raises: WeightsUnavailable: with the reason that `error` comes from."""
    reason, detail = reason_of(error)
    raise WeightsUnavailable(source=source, reason=reason, detail=detail) from None


def reason_of(error: BaseException) -> tuple[str, str]:
    """(a key under [reason], detail) for what the hub's or HTTP library raised; the first cause counts.

    Classes are told by name: which HTTP library it is has changed before.
    """
    chain = [error]
    while (cause := chain[-1].__cause__) is not None and len(chain) < 10:
        chain.append(cause)
    for link in reversed(chain):
        names = {cls.__name__ for cls in type(link).__mro__}
        status = getattr(getattr(link, "response", None), "status_code", None)
        if status:
            return "hub_error", f"HTTP {status}"
        if names & {"OfflineModeIsEnabled", "ConnectError", "ConnectTimeout", "ProxyError"}:
            return "no_network", str(link)[:200]
        if "TimeoutException" in names:
            return "hub_slow", str(link)[:200]
        if names & {"RemoteProtocolError", "ReadError"} or "Consistency check" in str(link):
            return "hub_truncated", str(link)[:200]
        if isinstance(link, OSError) and link.errno in (28, 122):  # ENOSPC, EDQUOT
            return "disk_full", str(link)[:200]
        if isinstance(link, PermissionError):
            return "permission", str(link)[:200]
    return "hub_error", f"{type(error).__name__}: {error}".splitlines()[0][:200]
