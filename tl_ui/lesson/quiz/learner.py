"""Who answers, and what they have answered so far: in the session, and by nickname on the server.

The browser keeps the nickname in a cookie until it is closed, so that a reload asks nothing again. Without
one the cookie is a random number, and the answers are kept in memory as long as the server runs.
"""

from __future__ import annotations

import uuid
from urllib.parse import quote, unquote

import streamlit as st

from tl_core.base.errors import NicknameRefused, TlError
from tl_core.classroom import learners
from tl_core.classroom.learners import Record
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.lesson.quiz import bank

RECORD, NICKNAME, SESSION = "quiz_record", "quiz_nickname", "quiz_session"
"""Keys in the session; whatever begins with quiz_, order_ or predict_ belongs to one learner."""
RECALLED, CHANGED = "learner_recalled", "learner_changed"
"""Of the browser, whoever sits there: its cookie has been read; it is to be written."""
COOKIE, NAMELESS = "headswap_nickname", "headswap_learner"
MAX_NAMELESS = 2000
"""Learners without a nickname whose answers are kept; the oldest go first."""


def record() -> Record:
    _recall()
    return st.session_state.get(RECORD) or Record()


def nickname() -> str | None:
    _recall()
    return st.session_state.get(NICKNAME)


def _recall() -> None:
    """Once per session: who answered in this browser before the page was loaded anew."""
    if st.session_state.get(RECALLED):
        return
    st.session_state[RECALLED] = True
    name = unquote(st.context.cookies.get(COOKIE, ""))
    try:
        st.session_state[RECORD] = learners.read(name)
        st.session_state[NICKNAME] = learners.clean_nickname(name)
    except NicknameRefused:  # no cookie, or not one of ours
        number = st.context.cookies.get(NAMELESS, "")
        if number in _nameless():
            st.session_state[SESSION], st.session_state[RECORD] = number, _nameless()[number]


@st.cache_resource(show_spinner=False)
def _nameless() -> dict[str, Record]:
    """By the number in the browser's cookie, the oldest first."""
    return {}


def _tell_browser() -> None:
    """Write or delete the cookie; without an end it goes when the browser is closed. `quote` leaves
    nothing in a nickname that a script could read as its own."""
    if st.session_state.get(CHANGED):
        name = nickname()
        words = [f"{COOKIE}={quote(name, safe='')}" if name else f"{COOKIE}=; max-age=0"]
        if not name:
            words.append(f"{NAMELESS}={learner_key()}")
        lines = "".join(f'document.cookie = "{one}; path=/; samesite=strict";' for one in words)
        st.html(f"<script>{lines}</script>", unsafe_allow_javascript=True)


def learner_key() -> str:
    """The same for the same learner: of the nickname, else of this session."""
    name = nickname()
    return learners.learner_id(name) if name else st.session_state.setdefault(SESSION, uuid.uuid4().hex)


def answered(question: str, given: tuple[str, ...], is_right: bool) -> None:
    _keep(record().with_answer(question, given, is_right))


def predicted(step: str, option: str) -> None:
    _keep(record().with_prediction(step, option))


def _keep(changed: Record) -> None:
    """In the session first: a full disk takes nothing away from the lesson."""
    st.session_state[RECORD] = changed
    if name := nickname():
        try:
            st.session_state[RECORD] = learners.save(name, changed)
        except TlError as error:
            shell.show_error(error)
        return
    kept = _nameless()
    kept[learner_key()] = changed
    while len(kept) > MAX_NAMELESS:
        kept.pop(next(iter(kept)), None)
    st.session_state[CHANGED] = True


def panel(key: str) -> None:
    """How far one is, and the nickname that keeps it."""
    known = {question.id for question in bank.questions(state.language())}
    done = [answer for question, answer in record().answers.items() if question in known]
    with st.container(horizontal=True, vertical_alignment="center", key=f"learner_{key}"):
        words = t("quiz.progress", done=len(done), total=len(known))
        if done:
            words += " " + t("quiz.at_first", count=sum(answer.was_right_at_first for answer in done))
        st.caption(words)
        with st.popover(nickname() or t("quiz.keep"), icon=":material/bookmark:"):
            _ask_nickname(key)
        _tell_browser()


def _ask_nickname(key: str) -> None:
    if name := nickname():
        st.caption(t("quiz.kept_as", nickname=name))
        if st.button(t("quiz.leave"), key=f"leave_{key}"):
            _forget()
            st.rerun()
        return
    text = st.text_input(
        t("quiz.nickname"),
        max_chars=learners.LONGEST_NICKNAME,
        key=f"nickname_{key}",
        help=t("quiz.nickname_help"),
    )
    if st.button(t("quiz.keep_now"), key=f"keep_{key}", type="primary") or text:
        _log_in(text)


def _forget() -> None:
    """What this learner chose and answered leaves the session; it stays under the nickname."""
    for key in [str(key) for key in st.session_state]:
        if key.startswith(("quiz_", "order_", "predict_")):
            del st.session_state[key]
    st.session_state[CHANGED] = True


def _log_in(text: str) -> None:
    """Bring together what this session and the nickname's file have."""
    try:
        st.session_state[RECORD] = learners.save(text, record())
        st.session_state[NICKNAME] = learners.clean_nickname(text)
        st.session_state[CHANGED] = True
    except TlError as error:
        shell.show_error(error)
    else:
        st.rerun()
