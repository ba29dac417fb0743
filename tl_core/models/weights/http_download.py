"""One plain file over HTTP, with a stall limit, checked by its hash before it gets its name."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from tl_core.base.errors import WeightsUnavailable
from tl_core.models.weights.hub import Limits, OnBytes, answered_within, refuse
from tl_core.models.weights.hub_fetch import Watch


def ask(source: str, url: str, *, wait_seconds: float) -> None:
    """One HEAD request. Raises: WeightsUnavailable: no_network, hub_slow or hub_error."""
    from huggingface_hub.utils import get_session

    def head() -> None:
        get_session().head(url, timeout=wait_seconds).raise_for_status()

    answered_within(wait_seconds, head, source)


def fetch(
    source: str,
    url: str,
    into: Path,
    *,
    sha256_prefix: str,
    limits: Limits,
    on_progress: OnBytes | None,
) -> Path:
    """Download `url` to the path `into`.

    Raises: WeightsUnavailable: no_network, hub_slow, hub_truncated (also a wrong hash), hub_error,
        disk_full, permission. Then there is nothing at `into`.
    """
    part = None
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=into.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            digest = _stream(source, url, file, limits, on_progress)
        if not digest.startswith(sha256_prefix):
            raise WeightsUnavailable(source=source, reason="hub_truncated", detail="sha256 differs")
        part.replace(into)
    except WeightsUnavailable:
        raise
    except Exception as error:  # HTTP, disk: each becomes a reason
        refuse(source, error)
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return into


def _stream(source: str, url: str, file, limits: Limits, on_progress: OnBytes | None) -> str:
    """Write the body to `file`; its sha256."""
    from huggingface_hub.utils import get_session  # one HTTP client: proxies and certificates as for the hub

    digest, num_bytes, watch = hashlib.sha256(), 0, Watch(limits)
    headers = {"Accept-Encoding": "identity"}  # the file's own bytes, and their true number
    with get_session().stream("GET", url, headers=headers, timeout=limits.stall_seconds) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length") or 0)
        for chunk in response.iter_raw():
            file.write(chunk)
            digest.update(chunk)
            num_bytes += len(chunk)
            if on_progress is not None:
                on_progress(num_bytes, size)
            if watch.is_stalled(num_bytes):
                raise WeightsUnavailable(source=source, reason="hub_slow", detail=f"{num_bytes} bytes")
    return digest.hexdigest()
