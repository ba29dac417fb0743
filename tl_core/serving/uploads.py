"""The pictures of a request: a multipart form with any number, or the bytes of one. Kept in memory alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

MAX_BODY_MB = 64
"""Of one request, unless told otherwise."""
MAX_PICTURES = 256
"""Of one request."""
MAX_BYTES_AT_ONCE = 512 << 20
"""Of all requests that are being read or answered; who comes on top is asked to come again."""
BODY_SECONDS = 60
"""In which a request must have been sent."""
NAME = "picture"
"""Of one that came without."""


class Refusal(Exception):
    """A request that gets no answers. `key` names the sentence under [serve] in the messages."""

    def __init__(self, status: int, key: str, **values: Any) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


@dataclass
class Room:
    """What the bodies of all requests may take together, in bytes."""

    max_body: int
    max_at_once: int = MAX_BYTES_AT_ONCE
    in_use: int = 0

    @asynccontextmanager
    async def pictures(self, request: Request) -> AsyncIterator[list[tuple[str, bytes]]]:
        """(name, content) of every picture; room is kept for them until the block ends.

        Raises: Refusal: too large, too many, too slow, no picture, no form, or no room now.
        """
        self._refuse_by_length(request)
        taken = 0

        async def received() -> AsyncGenerator[bytes, None]:
            nonlocal taken
            async for chunk in request.stream():
                taken += len(chunk)
                self.in_use += len(chunk)
                self._refuse(taken)
                yield chunk

        try:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    found = await _read(request, received())
            except TimeoutError:
                raise Refusal(408, "too_slow", seconds=BODY_SECONDS) from None
            if not found:
                raise Refusal(400, "no_picture")
            yield found
        finally:
            self.in_use -= taken

    def _refuse_by_length(self, request: Request) -> None:
        length = request.headers.get("content-length", "")
        if length.isdecimal():
            self._refuse(int(length))

    def _refuse(self, num_bytes: int) -> None:
        if num_bytes > self.max_body:
            raise Refusal(413, "too_large", most=self.max_body >> 20)
        if self.in_use > self.max_at_once:
            raise Refusal(503, "busy")


async def _read(request: Request, chunks: AsyncGenerator[bytes, None]) -> list[tuple[str, bytes]]:
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await _of_form(request, chunks)
    content = b"".join([chunk async for chunk in chunks])
    return [(request.query_params.get("name") or NAME, content)] if content else []


async def _of_form(request: Request, chunks: AsyncGenerator[bytes, None]) -> list[tuple[str, bytes]]:
    """Whatever the fields are called; those that are no files are not looked at."""
    # one more than allowed, so that ours is the sentence
    parser = MultiPartParser(request.headers, chunks, max_files=MAX_PICTURES + 1, max_fields=16)
    parser.spool_max_size = MAX_BYTES_AT_ONCE  # a picture is written to no disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise Refusal(413, "too_many", most=MAX_PICTURES) from None
        raise Refusal(400, "bad_form", detail=error.message.rstrip(".")) from None
    files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
    if len(files) > MAX_PICTURES:
        raise Refusal(413, "too_many", most=MAX_PICTURES)
    return [(file.filename or NAME, await file.read()) for file in files]
