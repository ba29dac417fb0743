"""The records of a data set: what is used, what is left out and why, which classes are empty."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from tl_core.base.messages import say

SPLITS = ("train", "val", "test")
MAX_NAMED = 3
# examples of what is left out, per reason


@dataclass(frozen=True)
class Picture:
    path: Path
    name: str
    # posix path relative to the data's root, as `names.name_in` makes it readable
    label: int
    # index into Dataset.classes
    given_split: str | None
    # train, val or test if the folders say so


@dataclass(frozen=True)
class Refused:
    name: str
    reason: str
    # a key under [reason] in the messages
    detail: str


@dataclass(frozen=True)
class Account:
    """What became of the files: the same on every page, in every command and in the report."""

    used: int
    left_out: list[Refused]
    empty: list[str]
    # class folders in which no picture is read

    @classmethod
    def of(cls, record: dict[str, Any]) -> Account:
        """From a summary or an evaluation, also of a run that knew no empty classes yet."""
        left_out = [Refused(one["name"], one["reason"], one["detail"]) for one in record.get("refused") or []]
        used = record.get("used", record.get("num", 0))
        return cls(used, left_out, list(record.get("empty") or []))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, which `of` reads back."""
        left_out = [dataclasses.asdict(one) for one in self.left_out]
        return {"used": self.used, "refused": left_out, "empty": self.empty}

    @property
    def is_complete(self) -> bool:
        """Whether every file was used."""
        return not self.left_out and not self.empty

    def lines(self, language: str) -> list[str]:
        """Sentences; one for each reason, with how many files and the first few of them."""
        lines = [say("account.used", language, count=self.used)]
        rows = sorted(self.left_out, key=lambda one: (one.reason, one.detail))
        for (reason, detail), group in groupby(rows, key=lambda one: (one.reason, one.detail)):
            names = [one.name for one in group]
            files = ", ".join(names[:MAX_NAMED]) + (", …" if len(names) > MAX_NAMED else "")
            why = say(f"reason.{reason}", language, detail=detail)
            lines.append(say("account.left_out", language, count=len(names), why=why, files=files))
        if self.empty:
            lines.append(say("account.empty", language, names=", ".join(self.empty)))
        return lines


@dataclass(frozen=True)
class Dataset:
    root: Path
    classes: list[str]
    # alphabetical, like torchvision's ImageFolder: def_front is 0, ok_front is 1
    pictures: list[Picture]
    refused: list[Refused] = field(default_factory=list)
    given_splits: tuple[str, ...] = ()
    # those of train, val, test that the folders give; empty when the split is ours to make
    empty: tuple[str, ...] = ()
    # class folders in which no picture is read

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}

    @property
    def account(self) -> Account:
        return Account(len(self.pictures), list(self.refused), list(self.empty))

    def counts(self) -> dict[str, int]:
        """Pictures per class, in class order; 0 where none is left."""
        counts = dict.fromkeys(self.classes, 0)
        for picture in self.pictures:
            counts[self.classes[picture.label]] += 1
        return counts

    def without(self, refused: dict[int, Refused]) -> Dataset:
        """The same data less some pictures, which join the refused; keys index `pictures`."""
        kept = [picture for index, picture in enumerate(self.pictures) if index not in refused]
        return dataclasses.replace(self, pictures=kept, refused=[*self.refused, *refused.values()])
