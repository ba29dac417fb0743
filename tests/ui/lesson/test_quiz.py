"""The quiz and the predictions as a learner meets them, in both languages."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.ui.open_page import has, words
from tests.ui.part import part
from tl_core.base.files.paths import class_dir
from tl_core.classroom import learners, votes
from tl_ui.frame.text import catalogue
from tl_ui.lesson.quiz import bank, learner, marking
from tl_ui.lesson.quiz.bank import STEPS

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])


def text(lang, key, **values):
    return catalogue(lang)[f"quiz.{key}"].format(**values)


def question(lang, question_id):
    return next(one for one in bank.questions(lang) if one.id == question_id)


def open_quiz(lang, question_id):
    """The quiz of the question's step, turned to that question."""
    step = question(lang, question_id).step
    app = part(f"quiz.show({step!r})", lang)
    place = [one.id for one in bank.of_step(lang, step)].index(question_id)
    return app.segmented_control(key=f"quiz_at_{step}").set_value(place).run()


def check(app, question_id):
    app.button(key=f"check_{question_id}").click().run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("step", STEPS)
def test_every_question_of_every_step_can_be_shown(lang, step):
    app = part(f"quiz.show({step!r})", lang)
    questions = bank.of_step(lang, step)
    for place, one in enumerate(questions):
        app.segmented_control(key=f"quiz_at_{step}").set_value(place).run()
        assert not app.exception, one.id
        assert one.prompt in words(app)
        assert app.button(key=f"check_{one.id}").disabled, "nothing is chosen yet"
        assert bool(app.get("plotly_chart")) == bool(one.recording)


def test_a_wrong_answer_gets_its_own_explanation_and_the_right_one_stays_open(lang):
    app = open_quiz(lang, "labels_number")
    app.radio(key="quiz_labels_number").set_value("0").run()
    check(app, "labels_number")
    one = question(lang, "labels_number")
    assert [warning.value for warning in app.warning] == [one.option("0").why]
    assert one.right not in words(app)
    app.radio(key="quiz_labels_number").set_value("1").run()
    assert not app.warning, "an answer that is being changed is not judged by the one before"
    check(app, "labels_number")
    assert [success.value for success in app.success] == [one.right]
    for wrong in (option for option in one.options if not option.is_right):
        assert wrong.why in words(app), "now every other answer is explained as well"


def test_several_answers_are_judged_one_by_one(lang):
    app = open_quiz(lang, "freeze_parts")
    for option in ("late", "stem"):
        app.checkbox(key=f"quiz_freeze_parts_{option}").check().run()
    check(app, "freeze_parts")
    assert [warning.value for warning in app.warning] == [question(lang, "freeze_parts").option("stem").why]
    assert text(lang, "missing", count=2) in words(app)
    app.checkbox(key="quiz_freeze_parts_stem").uncheck().run()
    for option in ("head_conv", "head"):
        app.checkbox(key=f"quiz_freeze_parts_{option}").check().run()
    check(app, "freeze_parts")
    assert app.success and not app.warning


def test_steps_are_put_in_order_by_pressing_them(lang):
    app = open_quiz(lang, "stages_order")
    order = [option.id for option in question(lang, "stages_order").options]
    for option in (order[1], order[0], *order[2:]):
        app.button(key=f"quiz_stages_order_{option}").click().run()
    check(app, "stages_order")
    assert [warning.value for warning in app.warning] == [question(lang, "stages_order").option(order[0]).why]
    app.button(key="again_stages_order").click().run()
    for option in order:
        app.button(key=f"quiz_stages_order_{option}").click().run()
    check(app, "stages_order")
    assert app.success


def test_the_faulty_line_is_found_and_mended(lang):
    app = open_quiz(lang, "head_bug")
    app.segmented_control(key="quiz_head_bug").set_value("2").run()
    check(app, "head_bug")
    assert [warning.value for warning in app.warning] == [question(lang, "head_bug").option("2").why]
    app.segmented_control(key="quiz_head_bug").set_value("4").run()
    check(app, "head_bug")
    assert question(lang, "head_bug").mended in [code.value for code in app.code]


def test_numbers_are_understood_with_and_without_separators(lang):
    app = open_quiz(lang, "head_parameters")
    for given, expected in (("2560", question(lang, "head_parameters").option("2560").why), ("12", None)):
        app.text_input(key="quiz_head_parameters").set_value(given).run()
        check(app, "head_parameters")
        assert app.warning[0].value == (expected or question(lang, "head_parameters").otherwise)
    app.text_input(key="quiz_head_parameters").set_value("2,562").run()
    check(app, "head_parameters")
    assert app.success


def test_progress_is_told_calmly(lang):
    total = len(bank.questions(lang))
    app = open_quiz(lang, "labels_number")
    assert text(lang, "progress", done=0, total=total) in words(app)
    app.radio(key="quiz_labels_number").set_value("0").run()
    check(app, "labels_number")
    assert text(lang, "progress", done=1, total=total) in words(app)
    assert text(lang, "at_first", count=0) in words(app)


def test_a_nickname_brings_the_answers_back_in_another_session(lang):
    app = open_quiz(lang, "labels_number")
    app.radio(key="quiz_labels_number").set_value("1").run()
    check(app, "labels_number")
    app.text_input(key="nickname_labels").set_value("민지 7").run()
    assert text(lang, "kept_as", nickname="민지 7") in words(app)

    app = open_quiz(lang, "labels_number")
    assert app.radio(key="quiz_labels_number").value is None
    app.text_input(key="nickname_labels").set_value("민지 7").run()
    total = len(bank.questions(lang))
    assert text(lang, "progress", done=1, total=total) in words(app)

    app.button(key="leave_labels").click().run()
    assert text(lang, "progress", done=0, total=total) in words(app)
    assert has(app, "text_input", "nickname_labels") and not app.text_input(key="nickname_labels").value


def test_a_nickname_after_the_answer_takes_no_explanation_away(lang):
    one = question(lang, "freeze_parts")
    right = [option.id for option in one.options if option.is_right]

    def order(learner_key):
        return [option.id for option in marking.shuffled(one, learner_key) if option.id in right]

    name = next(n for n in "abcdefgh" if order(learners.learner_id(n)) != order("session"))
    app = open_quiz(lang, "freeze_parts")
    app.session_state[learner.SESSION] = "session"
    app.run()
    for option in right:
        app.checkbox(key=f"quiz_freeze_parts_{option}").check().run()
    check(app, "freeze_parts")
    app.text_input(key="nickname_freeze").set_value(name).run()
    assert not app.exception and text(lang, "kept_as", nickname=name) in words(app)
    assert [success.value for success in app.success] == [one.right]
    assert has(app, "button", "next_quiz_freeze")


def test_a_browser_that_was_kept_under_a_nickname_is_known_again(lang, cookies):
    app = open_quiz(lang, "labels_number")
    app.radio(key="quiz_labels_number").set_value("1").run()
    check(app, "labels_number")
    app.text_input(key="nickname_labels").set_value("민지 7").run()
    cookies[learner.COOKIE] = quote("민지 7")
    app = open_quiz(lang, "labels_number")
    assert text(lang, "kept_as", nickname="민지 7") in words(app)
    assert text(lang, "progress", done=1, total=len(bank.questions(lang))) in words(app)
    app.button(key="leave_labels").click().run()
    assert text(lang, "progress", done=0, total=len(bank.questions(lang))) in words(app)


def test_answers_without_a_nickname_outlive_a_reload_but_reach_no_other_browser(lang, cookies):
    app = open_quiz(lang, "labels_number")
    app.radio(key="quiz_labels_number").set_value("1").run()
    check(app, "labels_number")
    cookies[learner.NAMELESS] = app.session_state[learner.SESSION]
    counted = text(lang, "progress", done=1, total=len(bank.questions(lang)))
    assert counted in words(open_quiz(lang, "labels_number"))
    cookies[learner.NAMELESS] = "another"
    assert counted not in words(open_quiz(lang, "labels_number"))


@pytest.mark.parametrize("sent", ["", "%00", "!!!", "<script>"])
def test_a_cookie_that_is_no_nickname_is_passed_over(lang, cookies, sent):
    cookies[learner.COOKIE] = sent * 40
    app = open_quiz(lang, "labels_number")
    assert has(app, "text_input", "nickname_labels")


def test_answers_after_the_nickname_are_kept_at_once(lang):
    app = open_quiz(lang, "labels_number")
    app.text_input(key="nickname_labels").set_value("a").run()
    app.radio(key="quiz_labels_number").set_value("1").run()
    check(app, "labels_number")
    (file,) = class_dir().rglob("learners/*.json")
    assert json.loads(file.read_text(encoding="utf-8"))["answers"]["labels_number"]["given"] == ["1"]


def test_a_nickname_that_cannot_be_is_refused_in_the_persons_language(lang):
    app = part("quiz.show('labels')", lang)
    app.text_input(key="nickname_labels").set_value("!!!").run()
    assert "30" in app.error[0].value
    assert list(class_dir().rglob("*.json")) == []


def test_a_prediction_needs_a_commitment_and_keeps_it(lang):
    app = part("quiz.prediction('freeze')", lang)
    found = bank.predictions(lang)["freeze"]
    assert found.look not in words(app), "nothing is given away before"
    assert app.button(key="commit_freeze").disabled
    app.radio(key="predict_freeze").set_value("little").run()
    app.button(key="commit_freeze").click().run()
    assert not app.exception
    own = next(option.text for option in found.options if option.id == "little")
    assert text(lang, "you_said", answer=own) in words(app)
    assert found.look in words(app)
    assert not has(app, "radio", "predict_freeze") and not has(app, "button", "commit_freeze")
    assert votes.counts("freeze") == {"little": 1}


def test_the_class_is_seen_only_after_ones_own_answer_and_never_alone(lang):
    for voter in "abc":
        votes.vote("head_swap", voter, "1002")
    app = part("quiz.prediction('head_swap')", lang)
    assert "hs-tally" not in words(app)
    app.radio(key="predict_head_swap").set_value("2").run()
    app.button(key="commit_head_swap").click().run()
    assert text(lang, "class_said", count=4) in words(app)
    assert "<b>3</b>" in words(app) and "<b>1</b>" in words(app)

    app = part("quiz.prediction('two_stages')", lang)
    app.radio(key="predict_two_stages").set_value("fall").run()
    app.button(key="commit_two_stages").click().run()
    assert "hs-tally" not in words(app)


def test_steps_without_a_prediction_hold_nothing_back(lang):
    assert "labels" not in bank.predictions(lang)
    app = part("quiz.prediction('labels')", lang)
    assert not app.radio


def test_options_stand_in_an_order_of_the_learners_own(lang):
    for one in bank.questions(lang):
        again = [marking.shuffled(one, "learner") for _ in range(2)]
        assert again[0] == again[1]
        assert sorted(o.id for o in again[0]) == sorted(o.id for o in one.options)
        if one.kind == "order":
            assert again[0] != list(one.options)
    firsts = {marking.shuffled(question(lang, "inside_pooling"), f"learner {n}")[0].id for n in range(40)}
    assert len(firsts) == 4
