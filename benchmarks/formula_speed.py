"""How many formula pictures one processor core draws per second, by size and family.

    python -m benchmarks.formula_speed [--sizes 64 96 128 224] [--pictures 150]

A prototype compiled by numba (10 s to compile) was faster at 64 px and slower from 96 px on.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice

import cv2
import numpy as np

from benchmarks.harness import report, table
from tl_core.synthetic import formula


def pictures_per_second(class_indices: list[int], image_px: int) -> float:
    """By the process's own time, so that other programs on the machine disturb little."""
    start = time.process_time()
    formula.draw_batch(class_indices, range(len(class_indices)), image_px)
    return len(class_indices) / (time.process_time() - start)


def chosen_classes(num_pictures: int) -> dict[str, list[int]]:
    """Per family its classes in turn; `all` has the shares of the 1,000 classes."""
    members = formula.classes()
    chosen = {
        family.name: list(islice(cycle(m.index for m in members if m.family is family), num_pictures))
        for family in formula.FAMILIES
    }
    chosen["all"] = np.random.default_rng(0).integers(len(members), size=4 * num_pictures).tolist()
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 96, 128, 224], help="in pixels")
    parser.add_argument("--pictures", type=int, default=150, help="per family and size")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    formula.draw(0, 0, 64)  # imports and the classes' parameters are no part of the speed
    rows = [
        [name, *(f"{pictures_per_second(class_indices, px):.0f}" for px in given.sizes)]
        for name, class_indices in chosen_classes(given.pictures).items()
    ]
    report(
        "formula_speed",
        "Drawing formula pictures",
        [
            "Pictures per second of one core's time; “all” has the families in their shares.",
            "",
            *table(["family", *(f"{px} px" for px in given.sizes)], rows),
        ],
    )


if __name__ == "__main__":
    main()
