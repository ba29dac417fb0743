"""What each learner has answered and predicted, kept by nickname in a small file each.

A nickname is no password: whoever types it sees the same answers. It never becomes part of a path; the
file's name is its hash. Writers of one learner (two tabs, two machines) take turns.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import filelock

from tl_core.base.errors import ClassFull, NicknameRefused, OutputUnwritable, RunDamaged
from tl_core.base.files.atomic import output_errors, write_json
from tl_core.base.files.paths import class_dir
from tl_core.base.files.reading import read_json

LONGEST_NICKNAME = 30
MAX_LEARNERS = 2000
MAX_ENTRIES = 100
# answers, and predictions, of one learner; the lesson has some forty
MAX_BYTES = 500_000
# of one learner's file; a larger one is not ours
LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class QuizAnswer:
    """The latest try at one question, and how the first one went."""

    given: tuple[str, ...]
    is_right: bool
    was_right_at_first: bool
    num_tries: int


@dataclass(frozen=True)
class Record:
    answers: Mapping[str, QuizAnswer] = field(default_factory=dict)
    # by question
    predictions: Mapping[str, str] = field(default_factory=dict)
    # the option committed to, by step; a commitment stays

    def with_answer(self, question: str, given: tuple[str, ...], is_right: bool) -> Record:
        before = self.answers.get(question)
        first = before.was_right_at_first if before else is_right
        tries = before.num_tries + 1 if before else 1
        return replace(self, answers={**self.answers, question: QuizAnswer(given, is_right, first, tries)})

    def with_prediction(self, step: str, option: str) -> Record:
        return replace(self, predictions={step: option, **self.predictions})

    def over(self, older: Record) -> Record:
        """Both together: this one's latest tries, the older one's first tries and commitments."""
        answers = {**older.answers, **self.answers}
        for question in older.answers.keys() & self.answers.keys():
            old, new = older.answers[question], self.answers[question]
            first, tries = old.was_right_at_first, max(old.num_tries, new.num_tries)
            answers[question] = replace(new, was_right_at_first=first, num_tries=tries)
        return Record(answers, {**self.predictions, **older.predictions})


def clean_nickname(text: str) -> str:
    """One spelling per nickname: no outer or double spaces, composed letters ("é" as one, Hangul too).

    Raises: NicknameRefused: empty, too long, or neither letter nor digit in it.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(c.isalnum() for c in name) or len(name) > LONGEST_NICKNAME or not name.isprintable():
        raise NicknameRefused(longest=LONGEST_NICKNAME)
    return name


def learner_id(nickname: str) -> str:
    """A file-safe id; upper and lower case are the same learner. Raises: NicknameRefused."""
    return hashlib.sha256(clean_nickname(nickname).casefold().encode()).hexdigest()[:24]


def read(nickname: str) -> Record:
    """Empty when the nickname is new, or its file cannot be read. Raises: NicknameRefused."""
    return _read(_path(nickname))


def save(nickname: str, record: Record) -> Record:
    """Lay `record` over what is kept of this learner; returns both together.

    Raises: NicknameRefused. ClassFull. OutputUnwritable: read-only folder, full disk, or another writer
    that never lets go.
    """
    path = _path(nickname)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
                if not path.exists() and sum(1 for _ in path.parent.glob("*.json")) >= MAX_LEARNERS:
                    raise ClassFull(count=MAX_LEARNERS, path=path.parent)
                merged = _limited(record.over(_read(path)))
                write_json(path, {"nickname": clean_nickname(nickname), **_to_dict(merged)})
                return merged
        except filelock.Timeout as error:
            raise OutputUnwritable(path=path, reason="os_error", detail="locked") from error


def _path(nickname: str) -> Path:
    return class_dir() / "learners" / f"{learner_id(nickname)}.json"


def _read(path: Path) -> Record:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Record()
        return _from_dict(read_json(path) or {})
    except (OSError, RunDamaged, ValueError, TypeError, KeyError, AttributeError):
        return Record()


def _limited(record: Record) -> Record:
    """The newest entries only, each of a length that a question can have."""
    answers = {
        question: replace(answer, given=tuple(value[:40] for value in answer.given[:12]))
        for question, answer in list(record.answers.items())[-MAX_ENTRIES:]
    }
    return Record(answers, dict(list(record.predictions.items())[-MAX_ENTRIES:]))


def _to_dict(record: Record) -> dict[str, Any]:
    return {
        "answers": {
            question: {
                "given": list(answer.given),
                "is_right": answer.is_right,
                "was_right_at_first": answer.was_right_at_first,
                "num_tries": answer.num_tries,
            }
            for question, answer in record.answers.items()
        },
        "predictions": dict(record.predictions),
    }


def _from_dict(values: dict[str, Any]) -> Record:
    """Raises: KeyError, TypeError, ValueError, AttributeError: not a learner's file."""
    answers = {
        str(question): QuizAnswer(
            tuple(map(str, found["given"])),
            bool(found["is_right"]),
            bool(found["was_right_at_first"]),
            int(found["num_tries"]),
        )
        for question, found in values["answers"].items()
    }
    return Record(answers, {str(step): str(option) for step, option in values["predictions"].items()})
