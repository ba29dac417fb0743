"""Classify thousands: a folder or a zip, with a bar and a stop; what stays are the answers, as a table."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import streamlit as st

from tl_core.base.errors import NotAFolder, PlaceRefused, TlError
from tl_core.base.files.file_names import readable
from tl_core.base.files.paths import expanded, is_dir
from tl_core.data.layouts import archives
from tl_core.data.layouts.file_kinds import is_picture_name, is_skipped_name
from tl_core.data.pixels.decode import read_image
from tl_core.inference.many.keeping import Limit, row_of
from tl_ui.frame import shell, state, visitor
from tl_ui.frame.text import number, t
from tl_ui.screens.classify.cards import ClassifiedPicture, cards
from tl_ui.widgets import downloads
from tl_ui.widgets.html import pictures

if TYPE_CHECKING:
    from tl_ui.stores.shared_predictor import Model

MAX_PICTURE_BYTES = 250 << 20
NUM_UNSURE = 24
"""Of the least sure that are shown."""
THUMB_PX = 360
RESULT = "many_result"
"""Session state: the last `Result`."""


@dataclass(frozen=True)
class Pictures:
    """place: a folder, or a zip that stays packed. names: {as people read it: as it is called there}."""

    place: Path | BinaryIO
    called: str
    names: dict[str, str]

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Path | bytes]]:
        """Raises: BadArchive."""
        if isinstance(self.place, Path):
            yield from ((name, self.place / self.names[name]) for name in names)
            return
        own = {self.names[name]: name for name in names}
        for called, content in archives.pictures(self.place, own, self.called, MAX_PICTURE_BYTES):
            yield own[called], content


@dataclass
class Result:
    """What has been said so far; grows while the pictures are looked at. of: model, place and rule."""

    of: tuple[Any, ...]
    total: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    least_sure: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    # a heap: (-confidence, -place, answer)


def ask() -> Pictures | None:
    found = None
    file = st.file_uploader(t("classify.many_zip"), type="zip", key="many_zip")
    typed = ""
    if visitor.may_name_paths():
        typed = st.text_input(t("classify.many_folder"), key="many_folder").strip().strip("\"'")
    st.caption(t("classify.many_says"))
    try:
        if file is not None:
            names = archives.picture_names(file, file.name)
            found = Pictures(file, file.name, {readable(name): name for name in names})
        elif typed:
            found = _folder(expanded(typed).absolute())
    except TlError as error:
        shell.show_error(error)
        return None
    if found is not None and not found.names:
        st.info(t("classify.many_none"), icon=":material/image_not_supported:")
        return None
    return found


def _folder(path: Path) -> Pictures:
    """Everything below it that is called a picture. Raises: NotAFolder, PlaceRefused."""
    if not visitor.may_read(path):
        raise PlaceRefused(path=path)
    if not is_dir(path):
        raise visitor.refusal(path, NotAFolder(path=path))
    names = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not is_skipped_name(name))
        own = (name for name in sorted(files) if is_picture_name(name) and not is_skipped_name(name))
        names += [(Path(folder) / name).relative_to(path).as_posix() for name in own]
    return Pictures(path, readable(path.name), {readable(name): name for name in names})


def show(model: Model, given: Pictures) -> None:
    """Ask to begin, look at all of them, show what came of it."""
    decided = model.rule
    of = (model.identity, repr(decided), given.called, len(given.names), str(given.place))
    limit = Limit(model.classes, decided, model.sure_from(decided))
    with st.container(horizontal=True, vertical_alignment="center", key="many_begin"):
        st.text(t("classify.many_found", count=number(len(given.names))))
        is_asked = st.button(t("classify.many_start"), key="many_start", type="primary")
    if is_asked:
        result = st.session_state[RESULT] = Result(of, len(given.names))
        place = st.empty()
        with place.container():
            bar = st.progress(0.0, text=t("classify.working"))
            # whatever is clicked ends this run of the page, this button too
            st.button(t("classify.many_cancel"), key="many_cancel", icon=":material/stop:")

        def on_done(done: int) -> None:
            bar.progress(done / result.total, f"{number(done)} / {number(result.total)}")

        look(model, given, limit, result, on_done)
        place.empty()
    result = st.session_state.get(RESULT)
    if result is not None and result.of == of and result.rows:
        _show(model, given, limit, result)


def look(model: Model, given: Pictures, limit: Limit, result: Result, on_done: Callable[[int], None]) -> None:
    """Fill `result`, which keeps what it has when `on_done` ends this. Raises: BadArchive."""
    from tl_core.inference.predictor import BATCH, predict_sources

    language = state.language()
    for answer in predict_sources(model, given.read(given.names), limit.decided):
        if isinstance(answer.get("error"), TlError):
            answer = {**answer, "error": answer["error"].message(language)}
        _take(result, answer, limit)
        if len(result.rows) % BATCH == 0:
            on_done(len(result.rows))


def _take(result: Result, answer: dict[str, Any], limit: Limit) -> None:
    is_unsure = False
    if "error" not in answer:
        is_unsure = limit.is_unsure(answer)
        result.counts["" if is_unsure else answer["label"]] += 1
        if is_unsure:
            push = heapq.heappush if len(result.least_sure) < NUM_UNSURE else heapq.heappushpop
            push(result.least_sure, (-limit.confidence(answer), -len(result.rows), answer))
    result.rows.append(row_of(answer, is_unsure))


def _show(model: Model, given: Pictures, limit: Limit, result: Result) -> None:
    counts = {name: result.counts[name] for name in model.classes} | {t("classify.unsure"): result.counts[""]}
    parts = [f"{name} {number(count)}" for name, count in counts.items()]
    if unread := len(result.rows) - sum(counts.values()):
        parts.append(t("classify.many_unreadable", count=number(unread)))
    values = {"done": number(len(result.rows)), "total": number(result.total)}
    st.text(t("classify.many_done", **values, parts=" · ".join(parts)))
    if len(result.rows) < result.total:
        st.warning(t("classify.many_stopped"), icon=":material/stop_circle:")
    downloads.table_button(result.rows, "answers.csv", key="get_many")
    st.dataframe(result.rows, hide_index=True, height=280)
    if result.least_sure:
        st.caption(t("classify.many_unsure"))
        st.html(cards(_pictures(model, given, limit, result), limit.sure_from, t))
    st.caption(t("classify.many_copies"))


def _pictures(model: Model, given: Pictures, limit: Limit, result: Result) -> list[ClassifiedPicture]:
    """The least sure ones, read once more for their small pictures."""
    answers = {answer["file"]: answer for _, _, answer in sorted(result.least_sure, reverse=True)}
    shown = []
    for (name, content), answer in zip(given.read(list(answers)), answers.values(), strict=True):
        image = read_image(content, name, max_px=THUMB_PX, whites=model.whites)
        picture = ClassifiedPicture(
            name=name,
            thumbnail=pictures.jpeg_uri(pictures.shrunk(image, THUMB_PX)),
            classes=tuple(model.classes),
            probabilities=tuple(answer["probabilities"][own] for own in model.classes),
            said=model.classes.index(answer["label"]),
            confidence=limit.confidence(answer),
            is_far=bool(answer.get("unlike_training")),
        )
        shown.append(picture)
    return shown
