"""Panels of the Head swap page: what is replaced, the way of one picture, what the heads answer."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from tl_core.base.errors import RunError
from tl_core.base.messages import say
from tl_core.models.weights.locate import recorded_name
from tl_core.models.weights.sources import WeightsRecord, has_imagenet_classes
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.stores import shared_network
from tl_ui.stores.sets import datasets, overview
from tl_ui.stores.shared_network import Counts, Station
from tl_ui.widgets import run_picker
from tl_ui.widgets.html import formula_sheet, pictures
from tl_ui.widgets.html.network_strip import part_names, units_of
from tl_ui.widgets.sets import practice_sets

PANELS = ("swap", "way", "answers", "classes")
MAX_PICTURES = 6
TILE_PX = 224
MAX_DOTS = 100


def weights_note(found: shared_network.Found) -> None:
    """Which weights this is shown with; a warning when they are random."""
    if found.error is None:
        label = recorded_name(found.choice.to_dict(), state.language())
        why = say(f"why.{found.choice.why}", state.language())
        st.caption(t("head_swap.weights", label=label, why=why), help=help_of("weights"))
        return
    shell.show_error(found.error)
    st.warning(t("head_swap.random"), icon=":material/warning:")


def question(counts: Counts) -> None:
    """Let them predict before they look."""
    before, after = counts.swap.classes_before, counts.swap.classes_after
    with st.container(border=True, key="card_question"):
        answer = st.segmented_control(
            t("head_swap.question", before=number(before), after=number(after)),
            [after, before + after],
            format_func=number,
            key=f"question_{after}",
        )
        if answer == after:
            st.success(t("head_swap.right", after=number(after)), icon=":material/check:")
        elif answer is not None:
            st.error(
                t("head_swap.wrong", sum=number(before + after), after=number(after)), icon=":material/close:"
            )


def swap(counts: Counts) -> None:
    """Replaced, not added: both networks as bars whose lengths are parameters."""
    st.markdown(t("head_swap.swap_lead"))
    with st.container(horizontal=True, key="swap_facts"):
        st.metric(t("head_swap.kept"), number(counts.num_backbone), help=help_of("backbone"))
        st.metric(t("head_swap.out"), "− " + number(counts.swap.num_removed), help=help_of("head"))
        st.metric(t("head_swap.in"), "+ " + number(counts.swap.num_added), help=help_of("parameters"))
    before = counts.num_backbone + counts.swap.num_removed
    after = counts.num_backbone + counts.swap.num_added
    st.html(
        '<div class="hs-bars2">'
        + _bar(t("head_swap.before"), counts.num_backbone, counts.swap.num_removed, before, before, "old")
        + _bar(t("head_swap.after"), counts.num_backbone, counts.swap.num_added, after, before, "new")
        + "</div>"
    )
    colours = palette()
    shell.legend(
        [
            (colours.backbone, t("head_swap.legend_backbone")),
            (colours.removed, t("head_swap.legend_old")),
            (colours.head, t("head_swap.legend_new")),
        ]
    )
    width = number(counts.swap.feature_dim)
    st.caption(
        t("head_swap.sum_old", width=width, classes=number(counts.swap.classes_before))
        + "  \n"
        + t("head_swap.sum_new", width=width, classes=number(counts.swap.classes_after))
    )


def _bar(title: str, kept: int, head: int, total: int, longest: int, kind: str) -> str:
    return (
        f"<div><b>{escape(title)}</b><span>{t('head_swap.total', count=number(total))}</span></div>"
        f'<div class="hs-track"><i class="kept" style="width:{100 * kept / longest:.3f}%"></i>'
        f'<i class="{kind}" style="width:{100 * head / longest:.3f}%"></i></div>'
    )


def pick_picture() -> np.ndarray | None:
    """A picture of the chosen data set, or of a practice set: uint8 (224, 224, 3). None: unreadable."""
    items = _candidates()
    with st.container(key="pick_picture"):
        pictures.gallery(
            [(pictures.jpeg_uri(image), f"{n}. {label}") for n, (label, image) in enumerate(items, start=1)],
            px=92,
        )
        chosen = st.segmented_control(
            t("head_swap.picture"),
            list(range(1, len(items) + 1)),
            default=1,
            required=True,
            key="head_swap_picture",
            persist_state="session",
        )
    return items[min(chosen or 1, len(items)) - 1][1]


def _candidates() -> list[tuple[str, np.ndarray]]:
    choice = state.chosen_data()
    if choice is None:
        return practice_sets.examples("casting")
    with st.spinner(t("data.reading")):
        found = overview.read(datasets.folder_of(choice))
    each = max(1, MAX_PICTURES // len(found.classes))
    items = [(name, image) for name in found.classes for _, image in found.examples[name][:each]]
    return items[:MAX_PICTURES]


def way(backbone: str, stations: list[Station]) -> None:
    """Every station with its shape and where the network reacts."""
    pooled = next(one for one in stations if one.name == "pooled")
    st.markdown(t("head_swap.way_lead", pooled=number(pooled.shape[0])), help=help_of("shape"))
    names = part_names(units_of(backbone))
    cells = "".join(_station(one, names.get(one.name)) for one in stations)
    st.html(f'<div class="hs-way">{cells}</div>')
    colours = palette()
    shell.legend(
        [
            (colours.removed, t("head_swap.legend_pixels")),
            (colours.backbone, t("head_swap.legend_backbone")),
            (colours.head, t("head_swap.legend_new")),
        ]
    )
    st.html(
        f'<div class="hs-scale"><span>{t("head_swap.weak")}</span><i></i>'
        f"<span>{t('head_swap.strong')}</span></div>"
    )
    st.caption(t("head_swap.way_note"))


def _station(one: Station, name: str | None) -> str:
    kind = {"pixels": "pixels", "classifier": "head"}.get(one.name, "backbone")
    if kind != "backbone" or name is None:
        name = t("head_swap.station_classifier" if kind == "head" else f"parts.{one.name}")
    shape = " × ".join(number(size) for size in one.shape)
    art = f'<img src="{pictures.jpeg_uri(_coloured(one), 92)}" alt="">'
    if one.name == "classifier":
        # scaled like the others, two scores 0.01 apart would look like day and night
        art = f'<div class="hs-outputs">{"<i></i>" * min(one.shape[0], MAX_DOTS)}</div>'
    return (
        f'<figure class="{kind}">{art}'
        f"<figcaption><b>{escape(name)}</b><span>{shape}</span></figcaption></figure>"
    )


def _coloured(one: Station) -> np.ndarray:
    """Viridis, which colour-blind eyes read too; pixels enlarged, so that the grid can be seen."""
    import cv2

    grey = (255 * one.strength).astype(np.uint8)
    large = cv2.resize(grey, (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
    if one.name == "pixels":
        return cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def answers(choice: WeightsRecord, image: np.ndarray, num_classes: int) -> None:
    """Old head, fresh head, trained head on the same picture, (H, W, 3) uint8."""
    st.markdown(t("head_swap.answers_lead"))
    old, fresh, trained = st.columns(3, gap="medium")
    with old:
        st.markdown(f"**{t('head_swap.old_head')}**")
        top = shared_network.old_answers(choice, image, state.language())
        if top is None:
            st.caption(t("head_swap.no_old_head"))
        else:
            _answer_bars(top, palette().removed)
            st.caption(t("head_swap.old_note"))
            names_source(choice)
    with fresh:
        st.markdown(f"**{t('head_swap.fresh_head')}**")
        shares = shared_network.new_answers(choice, image, num_classes)
        names = _class_names(num_classes)
        _answer_bars(list(zip(names, shares, strict=True))[:MAX_PICTURES], palette().head)
        st.caption(t("head_swap.fresh_note"))
    with trained:
        st.markdown(f"**{t('head_swap.trained_head')}**")
        _trained(image)
    st.caption(name_of("softmax"), help=help_of("softmax"))


def old_classes(choice: WeightsRecord, key: str) -> None:
    """What the old head can name: pictures drawn by formula to leaf through, or ImageNet's names."""
    if choice.source == "formula":
        formula_sheet.show(key)
        return
    names = shared_network.class_names(choice, state.language())
    if names is None:
        st.caption(t("head_swap.no_old_head"))
        return
    rows = [{t("head_swap.output"): n, t("head_swap.name"): name} for n, name in enumerate(names)]
    st.dataframe(rows, hide_index=True, height=380, key=f"old_names_{key}")
    names_source(choice)


def names_source(choice: WeightsRecord) -> None:
    """Who says what ImageNet's classes are called in the page's language."""
    if has_imagenet_classes(choice):
        st.caption(t("head_swap.names_source"))


def _trained(image: np.ndarray) -> None:
    runs = run_picker.runs_with_model()
    if not runs:
        st.caption(t("head_swap.no_run"))
        return
    run = run_picker.choose(runs, t("head_swap.run"), "head_swap_run")
    if run is None:
        return
    try:
        _answer_bars(shared_network.trained_answers(run, image), palette().good)
    except RunError as error:
        shell.show_error(error)
    else:
        st.caption(t("head_swap.trained_note"))


def _class_names(num_classes: int) -> list[str]:
    choice = state.chosen_data()
    if choice is not None:
        classes = overview.scanned(datasets.folder_of(choice)).classes
        if len(classes) == num_classes:
            return classes
    return [t("head_swap.class_number", number=n) for n in range(num_classes)]


def _answer_bars(rows: list[tuple[str, float]], colour: str) -> None:
    body = "".join(
        f"<div><span>{escape(name)}</span><b>{percent(share)}</b>"
        f'<i style="width:{max(100 * share, 0.5):.1f}%;background:{colour}"></i></div>'
        for name, share in rows
    )
    st.html(f'<div class="hs-heads">{body}</div>')
