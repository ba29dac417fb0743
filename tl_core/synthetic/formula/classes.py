"""The 1,000 classes: number, name, family, parameters; always the same ones.

They are drawn by lot with a fixed seed, family after family. The head of the built-in weights has
one output per class in this order, so the sequence of draws in every `new_parameters` is part of
the format: a draw added, left out or moved makes every later class a different one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from tl_core.synthetic.formula.families import FAMILIES
from tl_core.synthetic.formula.family import Family

__all__ = ["FormulaClass", "class_names", "classes"]

_SEED = 1


@dataclass(frozen=True)
class FormulaClass:
    """index: 0..999, the output of the head. parameters: the frozen dataclass of its family."""

    index: int
    name: str
    family: Family
    parameters: Any


@functools.cache
def class_names() -> tuple[str, ...]:
    """The family and a number that starts at 1 in each: "radial contour 001" and so on."""
    return tuple(
        f"{family.name} {number:03d}" for family in FAMILIES for number in range(1, family.num_classes + 1)
    )


@functools.cache
def classes() -> tuple[FormulaClass, ...]:
    """All classes in the order of the head's outputs. The first call takes half a second: fractals
    are drawn by lot until one has a shape."""
    rng = np.random.default_rng(_SEED)
    families = [family for family in FAMILIES for _ in range(family.num_classes)]
    return tuple(
        FormulaClass(index, name, family, _single_precision(family.new_parameters(rng)))
        for index, (name, family) in enumerate(zip(class_names(), families, strict=True))
    )


def _single_precision(value: Any) -> Any:
    """The same parameters rounded to 32 bits, as they were kept when the weights were trained."""
    if isinstance(value, float):
        return float(np.float32(value))
    if isinstance(value, tuple):
        return tuple(_single_precision(item) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        return replace(value, **{f.name: _single_precision(getattr(value, f.name)) for f in fields(value)})
    return value
