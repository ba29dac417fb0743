"""Pictures drawn by formula: 1,000 classes in 8 families, the task the built-in backbone was trained on.

A class is one program with fixed parameters; its instances differ in place, size, turn, colour,
light, background, things in front, blur and noise. Nothing is photographed and nothing is loaded:
the class's number and a seed are the whole picture.

    classes.py    the 1,000 classes, in the order of the built-in weights' outputs
    families/     one module each: how a class gets its parameters, how an instance is drawn
    plane.py, lattice.py    coordinates and random values on a lattice, which the families share
    scene.py      what an instance draws by lot besides its form: colours, background, light …
    render.py     form and scene -> pixels

Drawn with NumPy and OpenCV, without a compiler such as numba: an instance is a few dozen operations on
whole planes, in which NumPy is as fast from 96 px up (figures in benchmarks/formula_speed.py), while
numba would install 200 MB more and let the first picture on a page wait ten seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tl_core.base.errors import ConfigError
from tl_core.synthetic.formula.classes import FormulaClass, class_names, classes
from tl_core.synthetic.formula.families import FAMILIES

__all__ = ["FAMILIES", "FormulaClass", "class_names", "classes", "draw", "draw_batch"]

MIN_PX = 8


def draw(class_index: int, seed: int, image_px: int = 224) -> np.ndarray:
    """One instance of a class: (image_px, image_px, 3) uint8 RGB.

    The same three numbers always give the same bytes, whatever was drawn before. The same class and
    seed at another size show the same scene; only blur and grain, which are counted in pixels,
    and the single points of a fractal are drawn anew.

    Args: class_index: 0..999. seed: of the instance, >= 0. image_px: >= 8.
    Raises: ConfigError: a number outside its range.
    """
    # Imported late: names and parameters can be had without OpenCV.
    from tl_core.synthetic.formula import render, scene

    members = classes()
    _refuse(class_index, "class_index", 0, len(members) - 1)
    _refuse(seed, "seed", 0)
    _refuse(image_px, "image_px", MIN_PX)
    drawn = members[class_index]
    rng = np.random.default_rng([int(seed), int(class_index)])
    # The scene comes first: all that is drawn by lot per pixel lies behind it and cannot shift it.
    surroundings = scene.new_scene(rng, drawn.family)
    form = drawn.family.paint(drawn.parameters, rng, int(image_px))
    return render.render(surroundings, form, rng, int(image_px))


def draw_batch(class_indices: Sequence[int], seeds: Sequence[int], image_px: int = 224) -> np.ndarray:
    """(N, image_px, image_px, 3) uint8 RGB: `draw` of each pair, in order.

    Raises: ConfigError: a number outside its range. ValueError: not as many seeds as classes.
    """
    if len(class_indices) != len(seeds):
        raise ValueError(f"{len(class_indices)} classes, but {len(seeds)} seeds")
    _refuse(image_px, "image_px", MIN_PX)
    pictures = np.empty((len(seeds), image_px, image_px, 3), np.uint8)
    for picture, class_index, seed in zip(pictures, class_indices, seeds, strict=True):
        picture[:] = draw(class_index, seed, image_px)
    return pictures


def _refuse(value: int, name: str, lowest: int, highest: int | None = None) -> None:
    if value < lowest or (highest is not None and value > highest):
        need = f">= {lowest}" if highest is None else f"{lowest}..{highest}"
        raise ConfigError(name=name, value=value, need=need)
