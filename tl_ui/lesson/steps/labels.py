"""Step 4: labels are folders, and class numbers follow the alphabet."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_ui.frame.text import help_of, literal, number, t
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import person_data
from tl_ui.widgets.html import pictures


def folders() -> None:
    """The folders of the chosen data, with a picture of each."""
    counts = person_data.counts()
    shown: dict[str, str] = {}
    for label, image in person_data.examples():
        shown.setdefault(label, pictures.jpeg_uri(image))
    rows = "".join(
        f'<li><img src="{shown.get(name, "")}" alt=""><div><code>{escape(name)}/</code>'
        f"<span>{t('lesson_labels.folder_holds', count=number(count), name=escape(name))}</span></div></li>"
        for name, count in counts.items()
    )
    st.html(f'<ul class="hs-folders"><li><code>{escape(person_data.name())}/</code></li>{rows}</ul>')


def numbers() -> None:
    """Which number does a class get? Asked first, then answered by the library itself."""
    classes = list(person_data.counts())
    last = classes[-1]
    guess = st.segmented_control(
        t("lesson_labels.which_number", name=literal(last)), list(range(len(classes))), key="label_guess"
    )
    if guess is None:
        st.caption(f":material/lock: {t('lesson_labels.guess_first')}")
        return
    found = class_to_idx(tuple(classes))
    words = t("lesson_labels.right" if guess == found[last] else "lesson_labels.wrong")
    (st.success if guess == found[last] else st.error)(words)
    st.code(f"ImageFolder(root).class_to_idx\n{found}", language="python")
    chips = "".join(f"<span><b>{index}</b>{escape(name)}</span>" for name, index in found.items())
    st.html(f'<div class="hs-chips">{chips}</div>')
    st.markdown(f":material/warning: {t('lesson_labels.trap')}", help=help_of("class_to_idx"))


@st.cache_data(max_entries=16, show_spinner=False)
def class_to_idx(classes: tuple[str, ...]) -> dict[str, int]:
    """torchvision's own answer for folders of these names, asked of folders made for it."""
    import tempfile
    from pathlib import Path

    from torchvision.datasets import ImageFolder

    with tempfile.TemporaryDirectory() as root:
        for number_of, name in enumerate(reversed(classes)):
            folder = Path(root) / name
            folder.mkdir()
            # ImageFolder looks for names alone
            (folder / f"{number_of}.png").write_bytes(b"")
        return ImageFolder(root).class_to_idx


IDEAS = {
    "folders": Idea(folders, code=("tl_core.data.folders:scan",)),
    "numbers": Idea(
        numbers, code=("tl_core.data.folders:Dataset.class_to_idx", "tl_ui.lesson.steps.labels:class_to_idx")
    ),
}
