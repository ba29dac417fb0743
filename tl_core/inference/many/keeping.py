"""What is kept of many answers beside saying them: a table, sorted copies, a sheet of the unsure ones."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.base.files import csv_table
from tl_core.base.messages import FALLBACK
from tl_core.inference.many.contact_sheet import SHEET, ContactSheet
from tl_core.inference.many.sorted_copy import UNSURE, SortedCopy
from tl_core.runs.decision_rule import DecisionRule


@dataclass(frozen=True)
class Limit:
    """From which confidence on an answer is sure; see `decision_rule.sure_from`."""

    classes: list[str]
    decided: DecisionRule
    sure_from: float

    def confidence(self, answer: dict[str, Any]) -> float:
        """Of one that `predict_files` gave."""
        row = np.array([[answer["probabilities"][name] for name in self.classes]])
        return float(self.decided.confidence(row, self.classes)[0])

    def is_unsure(self, answer: dict[str, Any]) -> bool:
        """Whether the model would rather not decide: too little confidence, or like no training picture."""
        return self.confidence(answer) < self.sure_from or bool(answer.get("unlike_training"))


@dataclass
class Kept:
    """Give it every file with its answer, in any order."""

    limit: Limit
    table: Path | None = None
    # CSV that rows go to
    write_row: Callable[[dict[str, Any]], None] | None = None
    copy: SortedCopy | None = None
    sheet: ContactSheet = field(default_factory=ContactSheet)

    def add(self, file: Path, answer: dict[str, Any]) -> None:
        """Raises: OutputUnwritable."""
        is_read = "error" not in answer
        is_unsure = is_read and self.limit.is_unsure(answer)
        if self.write_row:
            self.write_row(row_of(answer, is_unsure))
        if self.copy and is_read:
            self.copy.add(file, UNSURE if is_unsure else answer["label"])
            if is_unsure:
                self.sheet.add(file, answer, self.limit.confidence(answer))

    @property
    def sheet_file(self) -> Path | None:
        """Where the unsure ones are to be seen; None without any, or without copies."""
        return self.copy.folder / UNSURE / SHEET if self.copy and self.sheet.num else None

    def summary(self) -> dict[str, Any]:
        """{"csv", "copies": {"folder", "copied": {folder: count}, "there_already", "sure_from",
        "contact_sheet"}}, as far as it was asked for."""
        told: dict[str, Any] = {"csv": str(self.table)} if self.table else {}
        if self.copy:
            counts = {"copied": dict(self.copy.copied), "there_already": self.copy.there_already}
            told["copies"] = {"folder": str(self.copy.folder), **counts, "sure_from": self.limit.sure_from}
            if self.sheet_file:
                told["copies"]["contact_sheet"] = str(self.sheet_file)
        return told


def columns(classes: list[str]) -> list[str]:
    return ["file", "predicted", *(f"p_{name}" for name in classes), "unsure", "unlike_training", "error"]


def row_of(answer: dict[str, Any], is_unsure: bool) -> dict[str, Any]:
    """A line of the table. answer: as `predict_files` gives it, an error in words."""
    if "error" in answer:
        return {"file": answer["file"], "error": answer["error"]}
    probabilities = {f"p_{name}": f"{p:.6f}" for name, p in answer["probabilities"].items()}
    marks = {"unsure": int(is_unsure)}
    if "unlike_training" in answer:
        marks["unlike_training"] = int(answer["unlike_training"])
    return {"file": answer["file"], "predicted": answer["label"], **probabilities, **marks}


@contextlib.contextmanager
def keeping(
    limit: Limit, table: Path | None, folder: Path | None, language: str = FALLBACK
) -> Iterator[Kept]:
    """table: CSV to write. folder: where copies go. Both complete once the block has ended.
    Raises: OutputUnwritable."""
    with contextlib.ExitStack() as stack:
        write_row = stack.enter_context(csv_table.writing(table, columns(limit.classes))) if table else None
        kept = Kept(limit, table, write_row, SortedCopy(folder) if folder else None)
        yield kept
        if kept.sheet_file:
            kept.sheet.write(kept.sheet_file, limit.sure_from, language)
