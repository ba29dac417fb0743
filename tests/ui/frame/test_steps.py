"""The sidebar's steps: done, here, open, running or locked with the reason."""

from __future__ import annotations

from tl_ui.frame.steps import PAGES, steps


def states(here="start", **given):
    values = {"has_data": False, "run_state": None, "has_runs": False, "has_results": False} | given
    return {step.name: (step.state, step.reason) for step in steps(here, **values)}


def test_a_newcomer_is_led_to_the_data_first():
    found = states()
    assert found["start"] == ("here", None)
    assert found["data"] == ("open", None)
    assert found["train"] == ("locked", "needs_data")
    assert found["results"] == ("locked", "needs_run")
    assert found["classify"] == ("locked", "needs_run")
    assert found["head_swap"] == ("open", None)


def test_chosen_data_opens_training():
    found = states(has_data=True)
    assert found["data"] == ("done", None)
    assert found["train"] == ("open", None)


def test_a_run_in_training_shows_and_says_when_the_results_open():
    found = states(has_data=True, has_runs=True, run_state="running")
    assert found["train"] == ("running", None)
    assert found["results"] == ("locked", "needs_end")


def test_a_finished_run_opens_results_and_classify():
    found = states(has_data=True, has_runs=True, has_results=True, run_state="finished")
    assert found["train"] == ("done", None)
    assert found["results"] == ("open", None)
    assert found["classify"] == ("open", None)


def test_the_page_being_shown_is_never_locked():
    assert states("results")["results"] == ("here", None)


def test_every_page_has_a_step():
    assert set(states()) == set(PAGES)
