"""Copies of pictures, each in the folder of its answer; the unsure ones apart. Nothing is overwritten."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tl_core.base.errors import OutputUnwritable
from tl_core.base.files.atomic import output_errors, write_whole
from tl_core.base.files.paths import is_file
from tl_core.data.layouts.archives import safe_part

UNSURE = "_unsure"
"""Folder of what the model would rather not decide."""


@dataclass
class SortedCopy:
    """Pictures of one name from several folders stay apart: `a.png`, `a (2).png`. What is there already with
    the same content is not copied again."""

    folder: Path
    copied: Counter[str] = field(default_factory=Counter)
    # {folder: pictures}
    there_already: int = 0

    def __post_init__(self) -> None:
        if is_file(self.folder):
            raise OutputUnwritable(path=self.folder, reason="os_error", detail="is a file")

    def add(self, file: Path, name: str) -> None:
        """name: of the folder, a class or UNSURE. Raises: OutputUnwritable."""
        place = self.folder / (safe_part(re.sub(r"[\\/]", "_", name)) or "_")
        with output_errors(file):
            content = file.read_bytes()
        with output_errors(place):
            place.mkdir(parents=True, exist_ok=True)
            for number in count(1):
                target = place / (file.name if number == 1 else f"{file.stem} ({number}){file.suffix}")
                if not target.exists():
                    break
                if target.stat().st_size == len(content) and target.read_bytes() == content:
                    self.there_already += 1
                    return
            write_whole(target, content, survives_power_cut=False)
        self.copied[place.name] += 1
