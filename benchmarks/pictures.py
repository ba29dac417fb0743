"""The pictures that the training benchmarks race on: class folders of JPEGs of one size.

Real pictures are taken from `--data`; smaller ones are scaled up, and the section says so. Without
`--data` the built-in practice faces are drawn.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2

from tl_core.data import folders
from tl_core.data.pixels.decode import read_image
from tl_core.synthetic.practice import write_samples

SIDE_PX = 640
"""A webcam's picture, or a phone's that was made smaller."""


@dataclass(frozen=True)
class Stack:
    path: Path
    num: int
    says: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="class folders; default: the drawn practice faces")
    parser.add_argument(
        "--pictures",
        type=int,
        default=400,
        help="how many, evenly over the classes; 120 or more, so that there is a test part",
    )


def make(data: Path | None, num: int, out: Path) -> Stack:
    """Write `num` pictures of SIDE_PX into class folders under `out`."""
    origin = data.name if data else "drawn practice faces"
    data = data or write_samples("expression", out / "drawn", seed=0)
    dataset = folders.scan(data)
    sizes = set()
    for label, name in enumerate(dataset.classes):
        members = [p for p in dataset.pictures if p.label == label][: num // len(dataset.classes)]
        (out / "pictures" / name).mkdir(parents=True)
        for picture in members:
            image = read_image(picture.path)
            sizes.add(min(image.shape[:2]))
            large = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
            target = out / "pictures" / name / f"{picture.path.stem}.jpg"
            cv2.imwrite(str(target), cv2.cvtColor(large, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    found = len(list((out / "pictures").rglob("*.jpg")))
    scaled = f", scaled up from {min(sizes)} px" if min(sizes) < SIDE_PX else ""
    return Stack(out / "pictures", found, f"{found} pictures of {SIDE_PX} px ({origin}{scaled})")
