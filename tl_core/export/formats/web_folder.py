"""`web`: a folder that any static web server shows. The browser classifies; nothing is sent anywhere.

What it answers is checked in Chromium. The network must give the run's answers to the run's squares. From
the files' bytes large JPEGs come out a little otherwise, since a browser decodes them whole and libjpeg's
reduction is recomputed (`page/reduced.js`): how much stands in the card, and the accuracy must not be lower
for it. Without Chromium and playwright the graph is checked in ONNX Runtime alone; the page then is called
so, and says so.
"""

from __future__ import annotations

import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from tl_core.base.errors import ExportFailed
from tl_core.base.files.atomic import to_json
from tl_core.base.messages import LANGUAGES, catalogue
from tl_core.export.check import TOLERANCE
from tl_core.export.formats import onnx_file
from tl_core.export.formats.record import Format
from tl_core.export.subject import Subject
from tl_core.export.web import browser, runtime

if TYPE_CHECKING:
    from tl_core.export.pictures import CheckPictures

PAGE, WORKER = "index.html", "sw.js"
UNCHECKED = "index.not-checked-in-a-browser.html"
AS_THEY_ARE = ("app.js", "classify.js", "picture.js", "reduced.js", "style.css")
ICONS = (192, 512)
COLOUR = (42, 120, 214)
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{cdn}; style-src 'self'; "
    "connect-src 'self'{cdn}; img-src 'self' blob:; media-src blob:; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'"
)
BANNER_PLACE, BANNER = '<p id="run"></p>', '<p class="banner" data-say="unchecked"></p>'
_seen: dict[int, np.ndarray] = {}
# {id of the check's pictures: squares as the page made them}; taken out once, by `read`


def make(subject: Subject, folder: Path, options: dict[str, Any]) -> None:
    """options: {"web_runtime": as `runtime.put` takes it}."""
    told = runtime.put(options.get("web_runtime"), folder)
    onnx_file.make(subject, folder, options)
    about = {**subject.about(), "runtime": told}
    if about["positive_class"] is None and len(subject.classes) == 2:
        about["positive_class"] = subject.classes[1]  # of whom the slider speaks, where nobody chose one
    _write(folder / "about.json", to_json(about, indent=2))
    _write(folder / "words.json", to_json({language: _words(language) for language in LANGUAGES}))
    _write(folder / "manifest.webmanifest", to_json(_manifest(str(about["run"])), indent=2))
    for px in ICONS:
        (folder / f"icon-{px}.png").write_bytes(_icon(px))
    for name in AS_THEY_ARE:
        _write(folder / name, _page(name))
    # the language is chosen by the script; without a script only this is read
    closed = " ".join(_words(language)["no_server"] for language in LANGUAGES)
    cdn = f" {runtime.CDN}" if options.get("web_runtime") == "cdn" else ""
    page = _page(PAGE).replace("__POLICY__", POLICY.format(cdn=cdn)).replace("__NO_SERVER__", closed)
    _write(folder / PAGE, page)
    _finish(folder, PAGE, is_checked=True, cdn=[told["module"], told["network"]] if cdn else [])


def answer(folder: Path, pictures: CheckPictures) -> np.ndarray:
    """By the page, from the files' bytes; by ONNX Runtime here where there is no browser, and then the page
    has another name. Raises: ExportFailed."""
    if not browser.is_here():
        _rename_unchecked(folder)
        return onnx_file.answer(folder, pictures)
    try:
        asked = browser.ask(folder, pictures)
    except Exception as error:  # playwright has its own classes
        raise ExportFailed(detail=" ".join(str(error).split())[:300]) from error
    gap = float(np.abs(asked.of_squares - onnx_file.answer(folder, pictures)).max())
    if not gap <= TOLERANCE:
        raise ExportFailed(detail=f"{name_of_runtime()}: {gap:.1e} > {TOLERANCE}")
    _seen[id(pictures)] = asked.squares
    return asked.probabilities


def read(pictures: CheckPictures, subject: Subject) -> np.ndarray:
    return _seen.pop(id(pictures), pictures.squares)


def name_of_runtime() -> str:
    if browser.is_here():
        return f"onnxruntime-web {runtime.VERSION}, {browser.version()}"
    return f"{onnx_file.runtime()}; not checked in a browser: Chromium or playwright is not here"


def _rename_unchecked(folder: Path) -> None:
    page = folder / PAGE
    text = page.read_text(encoding="utf-8")
    page.unlink()
    _write(folder / UNCHECKED, text.replace(BANNER_PLACE, f"{BANNER_PLACE}\n{BANNER}"))
    kept = json.loads((folder / WORKER).read_text(encoding="utf-8").split("FILES = ")[1].split(";\n")[0])
    _finish(folder, UNCHECKED, is_checked=False, cdn=[name for name in kept if name.startswith("https:")])


def _finish(folder: Path, page: str, *, is_checked: bool, cdn: list[str]) -> None:
    """The manifest's beginning, and the list of what is kept for times without a network."""
    start = "./" if is_checked else page
    manifest = json.loads((folder / "manifest.webmanifest").read_text(encoding="utf-8"))
    _write(folder / "manifest.webmanifest", to_json({**manifest, "start_url": start}, indent=2))
    own = sorted(
        one.relative_to(folder).as_posix()
        for one in folder.rglob("*")
        if one.is_file() and one.name != WORKER
    )
    kept = [*(["./"] if is_checked else []), *own, *cdn]
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in own)).hexdigest()[:16]
    worker = _page(WORKER).replace("__VERSION__", digest).replace("__FILES__", json.dumps(kept))
    _write(folder / WORKER, worker)


def _page(name: str) -> str:
    return files("tl_core.export.web").joinpath("page", name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _words(language: str) -> dict[str, str]:
    prefix = "web."
    own = {
        key.removeprefix(prefix): text for key, text in catalogue(language).items() if key.startswith(prefix)
    }
    return {**own, "language": catalogue(language)["language.name"]}


def _manifest(run: str) -> dict[str, Any]:
    icons = [{"src": f"icon-{px}.png", "sizes": f"{px}x{px}", "type": "image/png"} for px in ICONS]
    return {
        "name": f"Headswap: {run}",
        "short_name": run[:12],
        "start_url": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#{:02x}{:02x}{:02x}".format(*COLOUR),
        "icons": icons,
    }


def _icon(px: int) -> bytes:
    """A network of three dots, one of them new."""
    image = Image.new("RGB", (px, px), COLOUR)
    draw = ImageDraw.Draw(image)
    places = [(0.3, 0.35), (0.3, 0.65), (0.68, 0.5)]
    for x, y in places[:2]:
        draw.line([x * px, y * px, places[2][0] * px, places[2][1] * px], fill="white", width=px // 24)
    for (x, y), colour in zip(places, ("white", "white", "#ffc400"), strict=True):
        r = 0.1 * px
        draw.ellipse([x * px - r, y * px - r, x * px + r, y * px + r], fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


FORMAT = Format(
    name="web",
    models=(onnx_file.FILE,),
    make=make,
    answer=answer,
    runtime=name_of_runtime,
    is_exact=False,
    read=read,
    usage="""python -m http.server 8000      # in this folder; then open http://localhost:8000
# any static web server does; the camera needs https, or the machine itself""",
)
