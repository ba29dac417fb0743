"""The eight families, in the order of their classes."""

from __future__ import annotations

from types import ModuleType

from tl_core.synthetic.formula.families import blobs, cells, contour, fractal, glyph, motifs, noise, waves
from tl_core.synthetic.formula.family import Family

__all__ = ["FAMILIES"]


def _object(name: str, num_classes: int, module: ModuleType, has_inner_contrast: bool = False) -> Family:
    return Family(name, num_classes, module.new_parameters, module.paint, False, has_inner_contrast)


def _texture(name: str, num_classes: int, module: ModuleType) -> Family:
    return Family(name, num_classes, module.new_parameters, module.paint, True, True)


# Names, numbers and order are those of the built-in weights' head: to change one is to need new weights.
FAMILIES: tuple[Family, ...] = (
    _object("radial contour", 180, contour),
    _object("iterated-function fractal", 130, fractal),
    _texture("sum of sinusoids", 130, waves),
    _texture("fractal noise", 130, noise),
    _texture("Voronoi cells", 110, cells),
    _object("spline glyph", 130, glyph),
    _object("blob constellation", 110, blobs, has_inner_contrast=True),
    _texture("lattice of motifs", 80, motifs),
)
