"""Classify: pictures in, answers out. The model is shared by all browsers and never changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import streamlit as st

from tl_core.base.errors import TlError, UnreadableImage
from tl_core.data.layouts.file_kinds import EXTENSIONS
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import help_of, literal, number, percent, reason_text, t
from tl_ui.screens.classify import correct as classify_correct
from tl_ui.screens.classify import many, video
from tl_ui.screens.classify.cards import ClassifiedPicture, cards, table
from tl_ui.screens.classify.given import Given
from tl_ui.stores.runs import predictions
from tl_ui.widgets import choice, downloads
from tl_ui.widgets.html import pictures

if TYPE_CHECKING:
    from tl_ui.stores.shared_predictor import Model

MAX_PICTURES = 500
"""Pictures at a time: about a minute and a half of work on a laptop, and their bytes stay in memory."""
BATCH = 30
"""Pictures between two steps of the bar."""
PER_PAGE = 24
KEPT = "classify_uploads"
"""Session state: {id of the upload: picture}."""
MAX_FILE_MB = 250
"""A picture of 40 megapixels, the largest that is read, takes 240 MB with 16 bits a channel."""
NUM_SAMPLES = 8
NUM_COLUMNS = 3
THUMB_PX = 360
"""Long side of a picture on its card."""
SOURCES = ("upload", "many", "video", "camera", "sample")


def ask(run: RunFolder) -> list[Given] | many.Pictures | video.Clip | None:
    """The pictures the person gives, by one of five ways."""
    source = choice.one_of(
        "source", t("classify.source"), SOURCES, lambda name: t(f"classify.source_{name}"), first="upload"
    )
    if source == "many":
        return many.ask()
    if source == "video":
        return video.ask()
    if source == "camera":
        return _camera()
    return _samples(run) if source == "sample" else _upload()


def _upload() -> list[Given]:
    files = st.file_uploader(
        t("classify.upload", most=MAX_PICTURES),
        type=[suffix.lstrip(".") for suffix in EXTENSIONS],
        accept_multiple_files=True,
        max_upload_size=MAX_FILE_MB,
        key="upload",
    )
    st.caption(t("classify.upload_says"))
    if len(files) > MAX_PICTURES:
        left_out = [file.name for file in files[MAX_PICTURES:]]
        names = ", ".join(map(literal, left_out[:5]))
        if len(left_out) > 5:
            names += " " + t("classify.more", count=number(len(left_out) - 5))
        st.warning(t("classify.too_many", most=MAX_PICTURES, names=names), icon=":material/filter_list:")
    return _kept([(file.file_id, file) for file in files[:MAX_PICTURES]])


def _kept(files: Sequence[tuple[str, Any]]) -> list[Given]:
    """Those in the uploader; when a change of page has emptied it, those that were there, until they are put
    away."""
    kept: dict[str, Given] = st.session_state.get(KEPT, {})
    if files:
        # each read once: the same bytes are known again by themselves
        kept = {file_id: kept.get(file_id) or Given(file.name, file.getvalue()) for file_id, file in files}
        st.session_state[KEPT] = kept
    elif kept:
        with st.container(horizontal=True, vertical_alignment="center", key="kept_uploads"):
            st.caption(t("classify.kept", count=number(len(kept))))
            st.button(
                t("classify.put_away"), key="put_away", icon=":material/close:", type="tertiary",
                on_click=lambda: st.session_state.pop(KEPT, None),
            )  # fmt: skip
    return list(kept.values())


def _camera() -> list[Given]:
    if not is_camera_allowed(st.context.url):
        st.info(t("classify.camera_locked"), icon=":material/lock:")
        return []
    shot = st.camera_input(t("classify.camera"), key="camera")
    return [Given(t("classify.camera_file"), shot.getvalue())] if shot else []


def is_camera_allowed(url: str | None) -> bool:
    """Browsers give the camera to https pages and to the machine itself only."""
    parts = urlsplit(url or "")
    host = parts.hostname or ""
    return parts.scheme == "https" or host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _samples(run: RunFolder) -> list[Given]:
    """Some pictures of the run's own data, of its test part if it has one."""
    try:
        root = str(run.read_config().get("data"))
    except TlError as error:
        shell.show_error(error)
        return []
    paths = predictions.picture_paths(run)
    rows = [row for row in predictions.rows(run) if row["file"] in paths]
    if not rows:
        st.info(t("classify.sample_gone", path=literal(root)), icon=":material/image_not_supported:")
        return []
    tested = [row for row in rows if row["split"] == "test"]
    st.caption(t("classify.sample_says" if tested else "classify.sample_says_seen"))
    turn = st.session_state.setdefault("sample_turn", 0)
    if st.button(t("classify.sample_again"), icon=":material/shuffle:", key="sample_again"):
        turn = st.session_state["sample_turn"] = turn + 1
    truth = {row["file"]: row["truth"] for row in tested or rows}
    # the same turn shows the same pictures, so moving the slider does not change them
    chosen = random.Random(turn).sample(sorted(truth), min(NUM_SAMPLES, len(truth)))
    return [Given(name, paths[name], truth[name]) for name in chosen]


Answers = tuple[list[tuple[Given, ClassifiedPicture]], list[UnreadableImage]]
"""What could be read with its answer, and what could not."""


def answer(
    model: Model,
    given: Sequence[Given],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Answers:
    """Classify what can be read; name what cannot. on_progress: told (done, total) between batches."""
    answered: list[tuple[Given, ClassifiedPicture]] = []
    refused: list[UnreadableImage] = []
    for start in range(0, len(given), BATCH):
        on_progress(start, len(given))
        found, unread = _answer(model, given[start : start + BATCH])
        answered += found
        refused += unread
    return answered, refused


def _answer(model: Model, given: Sequence[Given]) -> Answers:
    images, squares, kept, refused = [], [], [], []
    for item in given:
        try:
            image, square = model.read_both(item.content, item.name)
            images.append(image)
            squares.append(square)
            kept.append(item)
        except UnreadableImage as error:
            refused.append(error)
    if not images:
        return [], refused
    decided = model.rule
    found = model.decide(decided, *model.predict_with_features(squares))
    is_upload = [item.truth is None for item in kept]
    threshold = None
    if decided.threshold is not None:
        threshold = (model.classes.index(str(decided.positive_class)), decided.threshold)
    answers = [
        ClassifiedPicture(
            name=item.name,
            thumbnail=pictures.jpeg_uri(pictures.shrunk(image, THUMB_PX)),
            classes=tuple(model.classes),
            probabilities=tuple(float(p) for p in row),
            truth=item.truth,
            said=int(found.said[i]),
            confidence=float(found.confidence[i]),
            threshold=threshold,
            is_far=found.is_far is not None and bool(found.is_far[i]),
            was_seen=is_upload[i] and model.is_known(squares[i]),
        )
        for i, (item, image, row) in enumerate(zip(kept, images, found.probabilities, strict=True))
    ]
    return list(zip(kept, answers, strict=True)), refused


def show(model: Model, given: Sequence[Given] | many.Pictures | video.Clip) -> None:
    """The answers, the slider that decides when the model is unsure, and what could not be read."""
    if isinstance(given, many.Pictures):
        many.show(model, given)
        return
    if isinstance(given, video.Clip):
        video.show(model, given)
        return
    answered, refused = _remembered(model, given)
    if refused:
        _show_refused(refused)
    if not answered:
        return
    answers = [picture for _, picture in answered]
    decided = model.rule
    _show_decided(decided)
    limit = st.slider(
        t("classify.sure_from"), round(1 / len(model.classes), 2), 0.99, model.sure_from(decided), 0.01,
        format="percent", help=t("classify.sure_from_help"), key=f"sure_from_{model.name}", width=420,
    )  # fmt: skip
    counts: dict[str, int] = {}
    for item in answers:
        name = t("classify.unsure") if item.is_unsure(limit) else item.label
        counts[name] = counts.get(name, 0) + 1
    parts = " · ".join(f"{name} {count}" for name, count in counts.items())
    st.text(t("classify.counts", count=number(len(answers)), parts=parts))
    _cards(model, answered, limit)
    st.caption(t("classify.limits"), help=help_of("softmax"))
    if bits := model.whites.bits:
        st.caption(t("classify.bits", bits=bits, white=number(2**bits - 1)))
    downloads.table_button(table(answers), "answers.csv", key="get_answers")


def _cards(model: Model, answered: Sequence[tuple[Given, ClassifiedPicture]], limit: float) -> None:
    """A page of cards in rows of three; under each of a person's own what it really is can be said."""
    pages = -(-len(answered) // PER_PAGE)
    page = st.pagination(pages, key="answers_page", max_visible_pages=5) if pages > 1 else 1
    first = (min(page, pages) - 1) * PER_PAGE
    shown = answered[first : first + PER_PAGE]
    own = [item for item, _ in shown if item.truth is None]
    root = classify_correct.begin(model.run) if own else None
    for start in range(0, len(shown), NUM_COLUMNS):
        row = shown[start : start + NUM_COLUMNS]
        for place, (column, (item, picture)) in enumerate(zip(st.columns(NUM_COLUMNS), row, strict=False)):
            with column:
                st.html(cards([picture], limit, t))
                if root is not None and item.truth is None:
                    classify_correct.ask(root, item, model.classes, first + start + place)


def _show_decided(decided: DecisionRule) -> None:
    """What was saved on Explore for this run and is used here."""
    parts = []
    if decided.threshold is not None:
        words = t(
            "classify.decided_threshold",
            name=literal(str(decided.positive_class)),
            threshold=percent(decided.threshold),
        )
        parts.append(words)
    if decided.temperature is not None:
        parts.append(t("classify.decided_temperature", temperature=f"{decided.temperature:.2f}"))
    if decided.far_from is not None:
        parts.append(t("classify.decided_far"))
    if parts:
        st.info(" ".join([*parts, t("classify.decided_where")]), icon=":material/tune:")


def _remembered(model: Model, given: Sequence[Given]) -> Answers:
    """Moving the slider asks for the same answers again: the last ones of this browser are kept."""
    asked = (
        model.identity,
        repr(model.rule),
        tuple((g.name, g.truth, hash(g.content)) for g in given),
    )
    last = st.session_state.get("last_answers")
    if last is None or last[0] != asked:
        bar = st.progress(0.0, text=t("classify.working"))
        last = (asked, answer(model, given, lambda done, total: bar.progress(done / total)))
        bar.empty()
        st.session_state["last_answers"] = last
    return last[1]


def _show_refused(refused: Sequence[UnreadableImage]) -> None:
    st.warning(t("classify.unreadable", count=len(refused)), icon=":material/broken_image:")
    for error in refused:
        values = error.values
        st.text(f"{values['file']}: {reason_text(str(values['reason']), str(values.get('detail', '')))}")
