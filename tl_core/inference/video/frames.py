"""A video file's pictures at a chosen rate, one at a time, however long it is. Decoded by PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.base.errors import UnreadableVideo
from tl_core.data.layouts.file_kinds import ending
from tl_core.data.pixels.decode import MAX_PIXELS

ENDINGS = ("mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "wmv", "3gp")
_NEAR = 1e-6
# seconds; time stamps are fractions and are not met exactly


@dataclass
class Video:
    """Open it with `frames`; what is known afterwards stands here."""

    path: Path
    called: str
    seconds: float | None = None
    # as the file says, to show how far one is
    num_decoded: int = 0
    broken_at: float | None = None
    # seconds up to which it could be read, where not to its end

    def frames(self, rate: float) -> Iterator[tuple[float, np.ndarray]]:
        """(seconds from the beginning, upright RGB uint8 (H, W, 3)): of each 1/rate seconds the first picture
        that the file has, so that files of any and of changing rate give the same times.

        Raises: UnreadableVideo: no video, too large, or not one picture of it can be read.
        """
        import av

        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise UnreadableVideo(file=self.called, reason="video_none", detail="")
                stream = container.streams.video[0]
                if stream.width * stream.height > MAX_PIXELS:
                    raise UnreadableVideo(
                        file=self.called,
                        reason="too_large",
                        detail=f"{stream.width * stream.height / 1e6:.1f}",
                    )
                stream.thread_type = "AUTO"
                if container.duration:
                    self.seconds = container.duration / av.time_base
                yield from self._chosen(container.decode(stream), rate, float(stream.average_rate or 25))
        except av.error.FFmpegError as error:
            detail = str(error.strerror or error)
            if not self.num_decoded:
                raise UnreadableVideo(file=self.called, reason="video_damaged", detail=detail) from None

    def _chosen(
        self, decoded: Iterator[Any], rate: float, usual: float
    ) -> Iterator[tuple[float, np.ndarray]]:
        import av

        start, at, next_time = None, 0.0, 0.0
        while True:
            try:
                frame = next(decoded, None)
            except av.error.FFmpegError:
                if not self.num_decoded:
                    raise
                self.broken_at = at
                return
            if frame is None:
                return
            # some files give no time stamps: then the pictures are counted
            own = float(frame.time) if frame.time is not None else self.num_decoded / usual
            start = own if start is None else start
            at = own - start
            self.num_decoded += 1
            if at + _NEAR < next_time:
                continue
            next_time = (int((at + _NEAR) * rate) + 1) / rate
            yield (
                at,
                np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))),
            )


def is_video_name(name: str) -> bool:
    return ending(name) in ENDINGS
