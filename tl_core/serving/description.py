"""The service as OpenAPI describes services, for programs that make clients of it.

Source: OpenAPI Specification 3.1.1.
"""

from __future__ import annotations

from typing import Any

from tl_core import __version__
from tl_core.base.messages import LANGUAGES
from tl_core.serving.uploads import MAX_PICTURES


def openapi(classes: list[str], max_body_mb: int, needs_token: bool) -> dict[str, Any]:
    probabilities = {name: {"type": "number", "minimum": 0, "maximum": 1} for name in classes}
    answer = {
        "type": "object",
        "required": ["file", "label", "probabilities"],
        "properties": {
            "file": {"type": "string"},
            "label": {"enum": classes},
            "probabilities": {"type": "object", "required": classes, "properties": probabilities},
            "unsure": {
                "type": "boolean",
                "description": "Less sure than the limit that was saved for the run; absent without one.",
            },
            "unlike_training": {
                "type": "boolean",
                "description": "Farther from all training pictures than the limit saved; absent without one.",
            },
        },
    }
    unreadable = {
        "type": "object",
        "required": ["file", "error"],
        "properties": {"file": {"type": "string"}, "error": {"type": "string"}},
    }
    answers = {
        "type": "object",
        "required": ["predictions"],
        "properties": {
            "predictions": {"type": "array", "items": {"oneOf": [answer, unreadable]}},
            "decision": {"type": "object", "description": "What was saved for the run and is followed."},
        },
    }
    classify = {
        "operationId": "classify",
        "summary": "Classify pictures: the same answers as `python -m tl_core predict RUN FILE… --json`.",
        "description": f"At most {MAX_PICTURES} pictures and {max_body_mb} MB in a request. A picture that "
        "cannot be read gets a sentence instead of an answer and does not stop the others.",
        "parameters": [
            {
                "name": "name",
                "in": "query",
                "schema": {"type": "string"},
                "description": "What a picture sent as bytes is called in the answer.",
            },
            {
                "name": "Accept-Language",
                "in": "header",
                "schema": {"type": "string"},
                "description": f"Language of the sentences: {', '.join(LANGUAGES)}.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {
                                "type": "array",
                                "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                            }
                        },
                    }
                },
                "application/octet-stream": {"schema": {}},
                "image/*": {"schema": {}},
            },
        },
        "responses": {
            "200": _response("At least one picture could be read.", answers),
            "422": _response("None of the pictures could be read; the same content.", answers),
            **{
                status: _response(what, {"$ref": "#/components/schemas/Refusal"})
                for status, what in (
                    ("400", "No picture, or no readable form."),
                    ("401", "The token is missing or wrong."),
                    ("408", "The request was sent too slowly."),
                    ("413", "Too large, or too many pictures."),
                    ("503", "Too much at once; come again."),
                )
            },
        },
    }
    refusal = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    described: dict[str, Any] = {
        "openapi": "3.1.1",
        "info": {"title": "Headswap", "version": __version__},
        "paths": {
            "/classify": {"post": classify},
            "/health": {
                "get": _simple(
                    "health", "Whether it answers, of which run, how much waits.", "application/json"
                )
            },
            "/metrics": {"get": _simple("metrics", "Counts in Prometheus' format.", "text/plain")},
        },
        "components": {"schemas": {"Refusal": refusal}},
    }
    if needs_token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path in ("/classify", "/metrics"):
            for operation in described["paths"][path].values():
                operation["security"] = [{"token": []}]
    return described


def _response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _simple(name: str, summary: str, kind: str) -> dict[str, Any]:
    ok = {"description": "OK", "content": {kind: {}}}
    return {"operationId": name, "summary": summary, "responses": {"200": ok}}
