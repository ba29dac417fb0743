"""What the service answers, as one Starlette app around one run's model."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tl_core.base.errors import TlError, UnreadableImage
from tl_core.base.files.atomic import to_json
from tl_core.base.files.file_names import readable
from tl_core.base.messages import FALLBACK, catalogue, closest, say
from tl_core.compute.device import usable_cores
from tl_core.inference.predictor import Predictor, answer_squares
from tl_core.serving import description, page
from tl_core.serving.batching import Batcher
from tl_core.serving.gate import Gate
from tl_core.serving.meters import Meters
from tl_core.serving.uploads import MAX_BODY_MB, Refusal, Room

MAX_BATCH = 8
"""Pictures answered together: more wait for one another while the rest of the machine stands still."""


@dataclass(frozen=True)
class Terms:
    """On which the service answers."""

    token: str | None = None
    # without it, whoever reaches the port is answered
    max_body_mb: int = MAX_BODY_MB
    # of one request
    is_local: bool = True
    # bound to this machine alone: requests that name another host are refused
    language: str = FALLBACK
    # of whoever does not say


class Service:
    """One run's model, and who asks it."""

    def __init__(self, predictor: Predictor, terms: Terms) -> None:
        self.predictor, self.terms, self.meters = predictor, terms, Meters()
        self.room = Room(terms.max_body_mb << 20)
        self.decoders = ThreadPoolExecutor(usable_cores(), thread_name_prefix="decoder")
        self.batcher = Batcher(self._answer, MAX_BATCH, self.meters.batch.observe)
        self.meters.watch(lambda: self.batcher.num_waiting)

    def _answer(self, squares: Sequence[np.ndarray]) -> list[dict[str, Any]]:
        # read each time: a threshold saved on Explore holds from then on, as for `predict`
        return answer_squares(self.predictor, squares, self.predictor.rule)

    def close(self) -> None:
        self.batcher.close()
        self.decoders.shutdown()

    async def classify(self, request: Request) -> Response:
        """Raises: Refusal."""
        self._refuse_strangers(request)
        started = time.perf_counter()
        language = _language(request, self.terms.language)
        async with self.room.pictures(request) as found:
            answers = await asyncio.gather(*(self._one(name, content, language) for name, content in found))
        decided = self.predictor.rule
        content: dict[str, Any] = {"predictions": answers}
        if not decided.is_empty:
            content["decision"] = decided.to_dict()
        num_unread = sum("error" in answer for answer in answers)
        self.meters.answered(len(answers) - num_unread, num_unread, time.perf_counter() - started)
        return _json(content, 422 if num_unread == len(answers) else 200)

    async def _one(self, name: str, content: bytes, language: str) -> dict[str, Any]:
        """What `predict` says of one file."""
        name = readable(name)
        loop = asyncio.get_running_loop()
        try:
            square = await loop.run_in_executor(self.decoders, self.predictor.read_square, content, name)
        except UnreadableImage as error:
            return {"file": name, "error": error.message(language)}
        answer = await asyncio.wrap_future(self.batcher.ask(square))
        return {"file": name, **answer}

    async def health(self, request: Request) -> Response:
        run = self.predictor.run
        about = {"status": "ok", "run": run.name, "classes": self.predictor.classes}
        return _json({**about, "waiting": self.batcher.num_waiting})

    async def metrics(self, request: Request) -> Response:
        """Raises: Refusal."""
        self._refuse_strangers(request)
        return Response(self.meters.text(), media_type=self.meters.media_type)

    async def openapi(self, request: Request) -> Response:
        return _json(
            description.openapi(self.predictor.classes, self.terms.max_body_mb, self.terms.token is not None)
        )

    async def page(self, request: Request) -> Response:
        language = _language(request, self.terms.language)
        text, policy = page.render(self.predictor, language, needs_token=self.terms.token is not None)
        return HTMLResponse(text, headers={"content-security-policy": policy})

    def _refuse_strangers(self, request: Request) -> None:
        """Raises: Refusal: a token was agreed on, and this is not it."""
        if self.terms.token is None:
            return
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        # in constant time: how long it takes must not tell how much of it was right
        # (Starlette reads headers as Latin-1: back to what was sent)
        is_known = secrets.compare_digest(given.encode("latin-1"), self.terms.token.encode())
        if not is_known or kind.lower() != "bearer":
            raise Refusal(401, "no_token")

    async def refuse(self, request: Request, error: Exception) -> Response:
        """One sentence, in the language of whoever asked."""
        language = _language(request, self.terms.language)
        if isinstance(error, Refusal):
            status, sentence = error.status, say(f"serve.{error.key}", language, **error.values)
        elif isinstance(error, HTTPException):
            key = f"serve.status_{error.status_code}"
            status = error.status_code
            sentence = say(key, language) if key in catalogue(language) else error.detail
        else:
            status = 500
            sentence = error.message(language) if isinstance(error, TlError) else say("serve.fault", language)
        self.meters.refused(status)
        headers = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": "1"}}.get(status)
        return _json({"error": sentence}, status, headers)


def make_app(predictor: Predictor, terms: Terms) -> Starlette:
    service = Service(predictor, terms)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    return Starlette(
        routes=[
            Route("/", service.page),
            Route("/classify", service.classify, methods=["POST"]),
            Route("/health", service.health),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
        ],
        middleware=[Middleware(Gate)] if terms.is_local else [],
        exception_handlers={kind: service.refuse for kind in (Refusal, HTTPException, TlError, Exception)},
        lifespan=lifespan,
    )


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(content) + "\n", status, headers, media_type="application/json")


def _language(request: Request, usual: str) -> str:
    """What the asker's `Accept-Language` names first; clients that are no browsers say none."""
    said = request.headers.get("accept-language", "").split(",")[0].partition(";")[0].strip()
    return closest(said) if said and said != "*" else usual
