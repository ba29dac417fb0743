"""The one page to try the service with: complete in itself, it loads nothing and asks this service alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from tl_core.base.messages import catalogue
from tl_core.data.layouts.file_kinds import EXTENSIONS
from tl_core.inference.predictor import Predictor
from tl_core.serving.uploads import MAX_PICTURES

TEMPLATE = Path(__file__).with_name("page.html")


def render(predictor: Predictor, language: str, *, needs_token: bool) -> tuple[str, str]:
    """(HTML, its Content-Security-Policy)."""
    import jinja2

    nonce = secrets.token_urlsafe(16)
    prefix = "serve_page."
    words = {
        key.removeprefix(prefix): text for key, text in catalogue(language).items() if key.startswith(prefix)
    }
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    html = template.render(
        words=words,
        language=language,
        run=predictor.run.name,
        classes=predictor.classes,
        needs_token=needs_token,
        accept=",".join(EXTENSIONS),
        most=MAX_PICTURES,
        nonce=nonce,
    )
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return html, policy
