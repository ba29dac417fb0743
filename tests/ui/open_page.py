"""Open one page of the app the way a browser's deep link does."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def open_page(name: str, *, locale: str = "en-US", **params: str) -> AppTest:
    """The page after its first run; `params` are the address bar's (`lang="ko"`, `run="…"`), `locale`
    the browser's own."""
    app = app_of(name, locale=locale, **params)
    app.run()
    assert not app.exception, app.exception
    return app


def app_of(name: str, *, locale: str = "en-US", **params: str) -> AppTest:
    """The same before its first run."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.context = {"locale": locale}
    if name != "start":
        app.switch_page(f"pages/{name}.py")
    for key, value in params.items():
        app.query_params[key] = value
    return app


def words(app: AppTest) -> str:
    """Every sentence on the page, in one string, HTML included."""
    kinds = ("title", "markdown", "caption", "error", "warning", "info", "success", "text")
    found = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    return "\n".join(found + [str(element.proto.body) for element in app.get("html")])


def has(app: AppTest, kind: str, key: str) -> bool:
    """Whether a widget of this kind and key is on the page."""
    return any(element.key == key for element in getattr(app, kind))
