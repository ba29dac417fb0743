"""What learners answered, kept by nickname: safe names, nothing lost, first tries and commitments stay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tl_core.base.errors import ClassFull, NicknameRefused
from tl_core.base.files.paths import class_dir, runs_dir
from tl_core.classroom import learners
from tl_core.classroom.learners import Record
from tl_core.runs.run_folder import list_runs


def files():
    return sorted(path for path in class_dir().rglob("*.json"))


def test_answers_come_back_under_the_same_nickname():
    learners.save("민지", Record().with_answer("a", ("x", "y"), True).with_prediction("freeze", "none"))
    found = learners.read(" 민지 ")
    assert found.answers["a"].given == ("x", "y")
    assert found.predictions == {"freeze": "none"}


def test_upper_case_double_spaces_and_decomposed_letters_are_the_same_learner():
    learners.save("Zoé  B", Record().with_answer("a", ("x",), True))
    assert learners.read("zoe\u0301 b").answers["a"].is_right
    assert len(files()) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "CON", "x" * 30, "💡1", ".class"])
def test_a_nickname_never_becomes_a_path(name):
    learners.save(name, Record().with_answer("a", ("x",), True))
    (path,) = files()
    assert path.parent == class_dir() / "learners"
    assert path.stem.isalnum() and name not in path.name


@pytest.mark.parametrize("name", ["", "   ", "!!!", "x" * 31, "a\x00b"])
def test_a_nickname_that_cannot_be_is_refused(name):
    with pytest.raises(NicknameRefused):
        learners.save(name, Record())


def test_the_first_try_is_remembered_whatever_follows():
    record = Record().with_answer("a", ("x",), False).with_answer("a", ("y",), True)
    assert record.answers["a"].is_right and not record.answers["a"].was_right_at_first
    assert record.answers["a"].num_tries == 2


def test_a_commitment_cannot_be_changed():
    record = Record().with_prediction("freeze", "none").with_prediction("freeze", "much")
    assert record.predictions["freeze"] == "none"
    learners.save("a", record)
    later = learners.save("a", Record().with_prediction("freeze", "much"))
    assert later.predictions["freeze"] == "none"


def test_a_second_machine_adds_to_what_is_kept():
    learners.save("a", Record().with_answer("one", ("x",), False))
    both = learners.save("a", Record().with_answer("two", ("y",), True).with_answer("one", ("z",), True))
    assert set(both.answers) == {"one", "two"}
    assert both.answers["one"].is_right and not both.answers["one"].was_right_at_first


def test_thirty_learners_and_two_tabs_each_lose_nothing():
    def write(number: int) -> None:
        learner, tab = divmod(number, 2)
        learners.save(f"learner {learner}", Record().with_answer(f"question {tab}", ("x",), True))

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(write, range(60)))
    assert all(len(learners.read(f"learner {number}").answers) == 2 for number in range(30))


def test_a_damaged_file_is_an_empty_record_and_can_be_written_again():
    learners.save("a", Record().with_answer("a", ("x",), True))
    files()[0].write_text('{"answers": [1, 2', encoding="utf-8")
    assert learners.read("a") == Record()
    assert learners.save("a", Record().with_answer("b", ("y",), True)).answers.keys() == {"b"}


def test_a_file_stays_small():
    record = Record()
    for number in range(500):
        record = record.with_answer(f"question {number}", ("가" * 500,) * 50, True)
    learners.save("a", record)
    assert files()[0].stat().st_size < learners.MAX_BYTES
    assert list(learners.read("a").answers)[-1] == "question 499", "what is kept can be read again"


def test_a_full_class_is_refused_with_a_sentence(monkeypatch):
    monkeypatch.setattr(learners, "MAX_LEARNERS", 2)
    learners.save("a", Record())
    learners.save("b", Record())
    with pytest.raises(ClassFull) as error:
        learners.save("c", Record())
    assert "2" in error.value.message("ko")
    learners.save("a", Record().with_answer("x", ("y",), True))


def test_the_class_is_not_a_run():
    learners.save("a", Record())
    assert class_dir().parent == runs_dir()
    assert list_runs(runs_dir()) == []
