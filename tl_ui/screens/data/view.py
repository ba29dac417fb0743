"""Panels of the Data page, one idea each: pictures, split, augmentation, class numbers, unreadable files."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.base.config import DEFAULT_PRESET, RunConfig, preset
from tl_core.base.errors import TlError
from tl_core.data.dataset import SPLITS
from tl_core.data.layouts import name_groups
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, literal, name_of, number, reason_text, t
from tl_ui.frame.theme import palette
from tl_ui.stores.sets import datasets, overview
from tl_ui.stores.sets.overview import Overview
from tl_ui.widgets import choice
from tl_ui.widgets.html import pictures

NUM_DRAWS = 6


def facts(found: Overview) -> None:
    """The three numbers that matter first."""
    with st.container(horizontal=True, key="facts"):
        st.metric(t("data.num_pictures"), number(found.num_pictures), border=True)
        st.metric(t("data.num_classes"), number(len(found.classes)), border=True)
        st.metric(
            t("data.num_refused"), number(len(found.refused)), border=True, help=t("data.num_refused_help")
        )


def notes(found: Overview) -> None:
    """What a person would not guess: empty class folders, and how deep pictures are read."""
    if found.empty:
        names = ", ".join(literal(name) for name in found.empty)
        st.warning(t("data.empty_classes", names=names), icon=":material/folder_off:")
    if found.bits:
        st.caption(t("data.bits", bits=found.bits, white=number(2**found.bits - 1)))


def panels(found: Overview) -> None:
    """One panel at a time; the others are not computed."""
    names = ["pictures", "split", "augmentation", "numbers"] + (["refused"] if found.refused else [])
    chosen = choice.one_of(
        "data_panel", t("data.look_at"), names, lambda name: t(f"data.panel_{name}"), is_kept=True
    )
    show = {"pictures": _pictures, "split": _split, "augmentation": _augmentation}
    show |= {"numbers": _numbers, "refused": _refused}
    with st.container(border=True, key=f"card_{chosen}"):
        show.get(chosen, _pictures)(found)


def _pictures(found: Overview) -> None:
    st.markdown(t("data.pictures_lead"))
    most = max(found.counts.values())
    for name, count in found.counts.items():
        width = 100 * count / max(most, 1)
        st.html(
            f'<div class="hs-count"><b>{escape(name)}</b><span>{t("data.count", count=number(count))}</span>'
            f'<i style="width:{width:.1f}%"></i></div>'
        )
        pictures.gallery([(pictures.jpeg_uri(image), "") for _, image in found.examples[name]], px=82)
    if most >= 2 * max(min(found.counts.values()), 1):
        st.info(t("data.imbalanced"), icon=":material/balance:")


def _split(found: Overview) -> None:
    st.markdown(t("data.split_given") if found.given_splits else t("data.split_made"))
    colours = dict(zip(SPLITS, (palette().muted, palette().good, palette().backbone), strict=True))
    with st.container(horizontal=True):
        for part in SPLITS:
            st.metric(name_of(part), number(sum(found.parts[part].values())), help=help_of(part))
    shell.legend([(colours[part], name_of(part)) for part in SPLITS])
    for name in found.classes:
        counts = {part: found.parts[part][name] for part in SPLITS if found.parts[part][name]}
        cells = "".join(
            f'<i style="flex-grow:{count};background:{colours[part]}" title="{name_of(part)}">{count}</i>'
            for part, count in counts.items()
        )
        st.html(f'<div class="hs-stack"><b>{escape(name)}</b><div>{cells}</div></div>')
    if found.num_folds:
        st.info(t("data.folds", folds=found.num_folds), icon=":material/autorenew:")
    _leaks(found)
    _groups(found)


def _groups(found: Overview) -> None:
    """What the names tell, to be taken by a press: then such pictures stay on one side of the split."""
    path = found.root / name_groups.FILE
    if path.is_file():
        st.caption(t("data.groups_taken", file=name_groups.FILE))
        return
    if not found.proposals:
        return
    for one in found.proposals:
        values = {"count": number(len(one.group_of)), "groups": number(one.num_groups)}
        st.info(t(f"data.groups_{one.kind}", **values), icon=":material/group_work:")
    if datasets.practice_set_at(found.root) is None and st.button(
        t("data.groups_take"), key="take_groups", icon=":material/group_work:"
    ):
        groups: dict[str, str] = {}
        for one in reversed(found.proposals):
            groups |= {name: f"{one.kind}:{key}" for name, key in one.group_of.items()}
        try:
            name_groups.write(path, groups)
        except TlError as error:
            shell.show_error(error)
        else:
            overview.forget()
            st.rerun()


def _leaks(found: Overview) -> None:
    if found.leak_exact + found.leak_near:
        st.warning(
            t("data.leaks", exact=found.leak_exact, near=found.leak_near), icon=":material/content_copy:"
        )
        items = []
        for first, first_name, second, second_name in found.leak_pairs:
            items += [(pictures.jpeg_uri(first), first_name), (pictures.jpeg_uri(second), second_name)]
        pictures.gallery(items, px=130)
    elif found.num_near:
        st.success(t("data.near_kept", count=found.num_near), icon=":material/verified:")
    else:
        st.success(t("data.no_near"), icon=":material/verified:")
    st.caption(name_of("near_duplicate"), help=help_of("near_duplicate"))


def _augmentation(found: Overview) -> None:
    from tl_core.data.pixels.augment import augment

    st.markdown(t("data.augmentation_lead"), help=help_of("augmentation"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(t("data.class"), found.classes, key="augment_class", width=220)
        if st.button(t("data.other_picture"), key="augment_next", icon=":material/skip_next:"):
            st.session_state["augment_picture"] = st.session_state.get("augment_picture", 0) + 1
        if st.button(t("data.draw_again"), key="augment_again", icon=":material/casino:"):
            st.session_state["augment_round"] = st.session_state.get("augment_round", 0) + 1
    index = st.session_state.get("augment_picture", 0)
    first = st.session_state.get("augment_round", 0) * NUM_DRAWS
    examples = found.examples[name]
    _, image = examples[index % len(examples)]
    seed = RunConfig().seed
    draws = [augment(image, key=(seed, index, 1, first + draw)) for draw in range(NUM_DRAWS)]
    original, drawn = st.columns([1, 2.4], gap="medium")
    with original:
        pictures.gallery([(pictures.jpeg_uri(image), t("data.original"))], px=200)
    with drawn:
        pictures.gallery(
            [(pictures.jpeg_uri(draw), t("data.draw", number=first + n + 1)) for n, draw in enumerate(draws)],
            px=130,
        )
    st.caption(_filled_up(found))


def _filled_up(found: Overview) -> str:
    chosen = state.chosen_data()
    practice_set = datasets.practice_set_of(chosen) if chosen else None
    target = preset(practice_set or DEFAULT_PRESET).target_per_class
    if not target:
        return t("data.never_filled")
    small = {name: count for name, count in found.parts["train"].items() if count < target}
    if not small:
        return t("data.not_filled", target=target)
    rows = ", ".join(f"{literal(name)} {count} → {target}" for name, count in small.items())
    return t("data.filled", target=target, rows=rows)


def _numbers(found: Overview) -> None:
    st.markdown(t("data.numbers_lead"), help=help_of("class_to_idx"))
    chips = "".join(
        f"<span><b>{number_}</b>{escape(name)}</span>" for name, number_ in found.class_to_idx.items()
    )
    st.html(f'<div class="hs-chips">{chips}</div>')
    st.code(f"class_to_idx = {found.class_to_idx}", language="python")
    is_casting = {"def_front", "ok_front"} == set(found.classes)
    st.info(t("data.trap_casting") if is_casting else t("data.trap"), icon=":material/warning:")


def _refused(found: Overview) -> None:
    st.markdown(t("data.refused_lead"))
    st.dataframe(
        {
            t("data.file"): [one.name for one in found.refused],
            t("data.reason"): [reason_text(one.reason, one.detail) for one in found.refused],
        },
        hide_index=True,
        key="refused_files",
    )
