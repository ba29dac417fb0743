"""How many formula pictures one processor core draws per second, by size and family.

    python -m benchmarks.formula_speed [--sizes 64 96 128 224] [--pictures 150]

Measured on one core of a busy 2-core x86 server, NumPy 2.4.6, OpenCV 4.14.0, pictures per second:

                                 64 px   96 px  128 px  224 px
    fastest: radial contour       2864    2097    1581     657
    slowest: Voronoi cells        1284     761     484     149
    all, in their shares          2203    1470     994     344
    the same compiled by numba    3133    1434     804     255     (a prototype; 10 s to compile)
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice

import cv2
import numpy as np

from tl_core import formula


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
    print(f"{'pictures/s on one core':<27}" + "".join(f"{px:>5} px" for px in given.sizes))
    for name, class_indices in chosen_classes(given.pictures).items():
        speeds = [pictures_per_second(class_indices, px) for px in given.sizes]
        print(f"{name:<27}" + "".join(f"{speed:8.0f}" for speed in speeds), flush=True)


if __name__ == "__main__":
    main()
