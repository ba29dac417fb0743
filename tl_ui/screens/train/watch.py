"""Train, second half: watch a run, stop it, resume it. All of it is read from the run's folder, so it
looks the same after a reload, in a second tab, and after the server was started anew.
"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.events import LEAST_TIMES, EpochEnd, StageStarted
from tl_core.base.files.file_names import readable
from tl_core.base.messages import say
from tl_core.base.stages import STAGES
from tl_core.jobs import local
from tl_core.jobs.local import LIVE, RESUMABLE
from tl_core.runs.execution import workflow
from tl_core.runs.execution.plan import in_words
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.stores.runs.run_progress import per_second, whole
from tl_ui.stores.runs.run_view import RunView, seconds_left
from tl_ui.widgets import run_picker
from tl_ui.widgets.html.network_strip import strip
from tl_ui.widgets.plotting.curves import curves, legend, rate
from tl_ui.widgets.plotting.liveplot import liveplot
from tl_ui.widgets.run_picker import view_of

OF_PICTURES = ("reading", "caching", "training", "evaluating")
"""Phases that count pictures; the others count rounds or epochs."""


def draw(run: RunFolder) -> None:
    """Stop and Resume stand outside the polled part, so that a click is never lost to a poll."""
    seen, had_answer = local.state(run), run.summary_path.is_file()
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        run_picker.badge(seen)
        _buttons(run, seen)
    _how_it_ended(run, seen)

    # never None: another tab may resume a run that rests
    @st.fragment(run_every=1.0 if seen in LIVE else 5.0, key="live")
    def live() -> None:
        # the first answer opens steps of the sidebar
        if (local.state(run), run.summary_path.is_file()) != (seen, had_answer):
            st.rerun()
        _picture(run, view_of(run), seen)

    live()


def _buttons(run: RunFolder, seen: str) -> None:
    if seen in ("queued", "running"):
        if st.button(t("train.stop"), key="stop", icon=":material/stop:", help=t("train.stop_help")):
            _do(local.request_stop, run)
    elif seen == "stopping":
        st.button(t("train.stop"), key="stop", icon=":material/stop:", disabled=True)
    elif seen in RESUMABLE:
        words = "train.resume" if run.last_checkpoint.is_file() else "train.again"
        if st.button(t(words), key="resume", type="primary", icon=":material/resume:"):
            _do(local.launch, run)
    elif seen == "finished":
        if st.button(
            t("train.see_results"), key="to_results", type="primary", icon=":material/arrow_forward:"
        ):
            shell.go("results", run=run.name)
        _ask_cross_validation(run)


def _ask_cross_validation(run: RunFolder) -> None:
    """The expensive kind, offered with its time once the model stands."""
    summary = _summary(run)
    made = view_of(run).plan
    if summary is None or made is None or not workflow.can_be_cross_validated(summary):
        return
    seconds = sum(step["seconds"] for step in made.steps if step["name"] == "cross_validation")
    words = t("train.cross_validate", time=in_words(seconds, state.language()))
    if st.button(words, key="cross_validate", icon=":material/rule:", help=t("train.cross_validation_help")):
        _do(lambda run: (workflow.ask_cross_validation(run), local.launch(run)), run)


def _summary(run: RunFolder) -> dict[str, Any] | None:
    """None too where it cannot be read, which is said."""
    try:
        return run.read_summary()
    except TlError as error:
        shell.show_error(error)
        return None


def _do(action, run: RunFolder) -> None:
    try:
        action(run)
    except TlError as error:
        shell.show_error(error)
    else:
        st.rerun()


def _how_it_ended(run: RunFolder, seen: str) -> None:
    """What happened, in a sentence, when the run neither goes on nor has finished."""
    if seen == "failed":
        error = run.read_status().get("error") or {}
        st.error(run_picker.failure_text(error), icon=":material/error:")
    elif seen in ("stopped", "interrupted"):
        kept = run.last_checkpoint.is_file()
        words = t(f"train.{seen}_says")
        st.warning(f"{words} {t('train.kept' if kept else 'train.nothing_kept')}", icon=":material/info:")
    elif seen == "queued" and (place := local.queue_position(run)):
        words = t("train.queued_next") if place == 1 else t("train.queued_says", before=place - 1)
        st.info(words, icon=":material/hourglass_top:")


def _picture(run: RunFolder, view: RunView, seen: str) -> None:
    with st.container(border=True, key="card_now"):
        st.markdown(f"#### {_headline(view, seen)}")
        if seen in LIVE:
            share, words = _progress(view)
            st.progress(share, text=words)
        _numbers(view, seen)
    # above the network, where no screen needs a scroll to find it
    _answer(run, view, seen)
    _parts(view, seen)
    for warning in view.warnings:
        st.warning(run_picker.warning_text(warning.code, warning.values), icon=":material/warning:")
    if view.last_epoch is not None:
        _charts(run, view)
    _details(run, view)


def _answer(run: RunFolder, view: RunView, seen: str) -> None:
    """The model as it stands, once it can be used: while the run goes on, and after a stop."""
    is_there = view.ready is not None or seen in RESUMABLE
    summary = _summary(run) if is_there and seen != "finished" else None
    if summary is None:
        return
    with st.container(border=True, key="card_answer"):
        more = "train.first_answer" if run.settings().trains_backbone else "train.first_answer_only"
        st.markdown(t(more if seen in LIVE else "train.best_so_far_stands"))
        scores = summary["reported"]["metrics"]
        if summary["reported"]["split"] != "val":
            low, high = scores["intervals"]["accuracy"]
            values = {"value": percent(scores["accuracy"]), "low": percent(low, 0), "high": percent(high, 0)}
            st.markdown(t("train.first_answer_score", **values), help=help_of("interval"))
        with st.container(horizontal=True):
            shell.link("classify", t("train.try_it"), icon=":material/image_search:")
            shell.link("results", t("train.see_results"), icon=":material/arrow_forward:")


def _charts(run: RunFolder, view: RunView) -> None:
    for column, metric in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        with column, st.container(border=True, key=f"card_{metric}"):
            st.markdown(f"**{t(f'train.chart_{metric}')}**", help=help_of(metric))
            liveplot(
                curves(view, metric, palette(), t),
                key=f"curve_{metric}",
                view=f"{run.name}-{state.is_dark()}",
                alt=t(f"train.chart_{metric}"),
                failed=t("train.chart_failed"),
                height=290,
            )
            st.html(legend(view, palette(), t))
    st.caption(t("train.chart_reads"))


def _headline(view: RunView, seen: str) -> str:
    """What goes on now, as one sentence."""
    if seen == "finished" and view.ended:
        if len(view.ordered) == 1:
            return t("train.now_finished_only")
        return t("train.now_finished", stage=name_of(f"stage_{view.ended.final_stage}"))
    if seen == "queued":
        return t("train.now_queued")
    if seen not in LIVE:
        return t("train.now_rests")
    if view.started is None:
        return t("train.now_starting")
    if view.progress and view.progress.phase != "training":
        return t(f"train.now_{view.progress.phase}")
    if view.current is None or view.current.ended:
        return t("train.now_evaluating")
    begun = view.current.started
    is_all = STAGES[view.current.name].learns == "last" and begun is not None and not begun.frozen_parts
    return t("train.now_finetune_all") if is_all else t(f"train.now_{view.current.name}")


def _progress(view: RunView) -> tuple[float, str]:
    """Share done and the words beside it: of the whole run; of a run without a plan, of the stage."""
    place = whole(view)
    if place is not None:
        left = t("train.left_in_all", time=in_words(place.seconds_left, state.language()))
        return place.share, "  ·  ".join([*_step_words(view), left])
    now = view.progress
    if now and now.phase != "training":
        return _share(now.done, now.total), _count(view)
    stage = view.current
    if stage is None or not stage.num_planned or stage.ended:
        return 0.0, t("train.wait")
    done = float(len(stage.epochs))
    if now and now.stage == stage.name and now.epoch == len(stage.epochs) + 1:
        done += _share(now.done, now.total)
    words = t("train.epoch_of", epoch=min(int(done) + 1, stage.num_planned), epochs=stage.num_planned)
    left = seconds_left(stage)
    if left:
        words += "  ·  " + t("train.left_in_stage", time=in_words(left, state.language()))
    return _share(done, stage.num_planned), words


def _step_words(view: RunView) -> list[str]:
    """How far the step going on is, and how fast it goes."""
    stage = view.current
    words = []
    if stage and stage.num_planned and not stage.ended and STAGES[stage.name].moves_backbone:
        epoch = min(len(stage.epochs) + 1, stage.num_planned)
        words.append(t("train.epoch_of", epoch=epoch, epochs=stage.num_planned))
    if view.progress and view.progress.total:
        words.append(_count(view))
        speed = per_second(view)
        if speed and view.progress.phase in OF_PICTURES:
            words.append(t("train.speed", count=number(speed)))
    return words


def _count(view: RunView) -> str:
    """ "406 of 4,000 pictures"."""
    now = view.progress
    unit = "pictures" if now.phase in OF_PICTURES else "rounds"
    return t(f"train.step_of_{unit}", done=number(now.done), total=number(now.total))


def _share(done: float, total: float) -> float:
    return min(max(done / total, 0.0), 1.0) if total else 0.0


def _numbers(view: RunView, seen: str) -> None:
    """Four numbers at most; the rest is under "Advanced"."""
    last = view.last_epoch
    if last is None:
        return
    epochs = sum(len(stage.epochs) for stage in view.ordered)
    with st.container(horizontal=True, key="numbers"):
        best = percent(view.best_accuracy())
        st.metric(t("train.best_so_far"), best, help=t("train.best_so_far_help"), width="content")
        st.metric(t("train.epochs_done"), number(epochs), help=help_of("epoch"), width="content")
        # a head that was calculated has none, and at rest none is "now"
        if last.learning_rate and seen in LIVE:
            st.metric(
                t("train.rate_now"), rate(last.learning_rate), help=help_of("learning_rate"), width="content"
            )
        if seen in LIVE:
            speed = number(last.images_per_second)
            says = t("train.images_per_second_help")
            st.metric(t("train.images_per_second"), speed, help=says, width="content")


def _parts(view: RunView, seen: str) -> None:
    """Which of the parts learn now, how many numbers that is, and how frozen work is done."""
    stage = view.current
    if stage is None or stage.started is None:
        return
    begun = stage.started
    colours = palette()
    frozen = number(begun.num_parameters - begun.num_trainable)
    learns = "train.part_learns" if seen in LIVE else "train.part_learnt"
    with st.container(border=True, key="card_parts"):
        st.html(strip(begun.units, begun.trainable_parts, begun.parameters))
        shell.legend(
            [
                (colours.head, t(learns, count=number(begun.num_trainable))),
                (colours.backbone, t("train.part_frozen", count=frozen)),
            ]
        )
        st.caption(_frozen_work(view, begun))


def _frozen_work(view: RunView, begun: StageStarted) -> str:
    """How it is done and why; once a stage has ended, what that has saved."""
    times = view.times_faster()
    if times is not None and times >= LEAST_TIMES:
        return t("train.saved", times=f"{times:.1f}")
    return say(f"feed.{begun.feed_why}", state.language(), views=begun.views)


def _details(run: RunFolder, view: RunView) -> None:
    """Numbers for those who want them: weights, device, every epoch. Costs nothing while closed."""
    box = st.expander(t("train.advanced"), icon=":material/tune:", key="details", on_change="rerun")
    if not box.open or view.started is None:
        return
    with box:
        st.html(_facts(run, view))
        rows = [_row(stage.name, epoch) for stage in view.ordered for epoch in stage.epochs]
        if rows:
            st.dataframe(rows, hide_index=True, height=min(38 + 35 * len(rows), 420))


def _row(stage: str, epoch: EpochEnd) -> dict[str, Any]:
    return {
        name_of("epoch"): epoch.epoch,
        t("train.column_stage"): name_of(f"stage_{stage}"),
        t("train.column_train_loss"): epoch.train_loss,
        t("train.column_val_loss"): epoch.val_loss,
        t("train.column_train_accuracy"): percent(epoch.train_accuracy),
        t("train.column_val_accuracy"): percent(epoch.val_accuracy),
        name_of("learning_rate"): rate(epoch.learning_rate),
        t("train.column_seconds"): epoch.epoch_seconds,
    }


def _facts(run: RunFolder, view: RunView) -> str:
    begun = view.started
    weights = begun.weights
    why = say(f"why.{weights.get('why', '')}", state.language())
    split = t("train.fact_split", train=begun.num_train, val=begun.num_val, test=begun.num_test)
    facts = {
        name_of("weights"): f"{weights.get('label') or weights.get('source')}: {why}",
        name_of("split"): split,
        name_of("device"): begun.device,
        name_of("number_format"): begun.precision,
        t("train.fact_folder"): readable(str(run.path)),
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f'<dl class="hs-facts">{rows}</dl>'
