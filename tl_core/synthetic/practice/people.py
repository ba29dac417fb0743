"""Who is drawn: the traits that stay with a person from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.practice.canvas import Colour, mix

SKINS: tuple[Colour, ...] = (
    (255, 226, 204), (250, 212, 184), (241, 194, 158), (226, 172, 132),
    (212, 156, 114), (186, 128, 90), (156, 104, 72), (124, 82, 60),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (34, 28, 30), (58, 40, 34), (92, 60, 40), (134, 88, 52), (186, 136, 78), (228, 190, 120),
    (164, 74, 42), (150, 150, 156), (214, 212, 210), (86, 92, 150), (190, 92, 122), (64, 118, 112),
)  # fmt: skip
HAIR_ODDS = (0.2, 0.17, 0.14, 0.11, 0.08, 0.07, 0.06, 0.05, 0.03, 0.03, 0.03, 0.03)
IRISES: tuple[Colour, ...] = (
    (70, 46, 34), (104, 70, 42), (76, 110, 70), (70, 108, 150), (110, 130, 140), (40, 34, 40),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (228, 110, 92), (242, 182, 78), (96, 158, 118), (78, 138, 186), (128, 104, 172), (60, 70, 96),
    (236, 234, 226), (204, 96, 132), (120, 136, 70), (54, 54, 60), (122, 190, 196),
)  # fmt: skip

HAIRSTYLES = (
    "bald", "buzz", "side_part", "bob", "long", "afro", "bun", "spiky",
    "curly", "pigtails", "beanie", "quiff", "wavy",
)  # fmt: skip


MOUTH_Y = 0.56
# the mouth lies this far below the middle of the head, in half head heights
BLACK: Colour = (26, 20, 24)
# of ink: softer than (0, 0, 0)
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Person:
    """Lengths in half head heights, colours RGB 0..255."""

    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    second: Colour
    # of stripes, the beanie, the frames
    hairstyle: str
    neckline: str
    width: float
    # half the head's width at the temples
    jaw: float
    # width of the jaw as a part of `width`
    chin: float
    eye_size: float
    eye_gap: float
    # from the middle of the face to the middle of an eye
    eye_y: float
    eye_slant: float
    brow_thick: float
    brow_y: float
    nose: str
    nose_size: float
    mouth_width: float
    lips: float
    # 0 none drawn .. 1 painted
    glasses: str
    beard: str
    has_freckles: bool
    has_earrings: bool
    blush: float
    ink_width: float
    # of outlines; 0 = drawn without
    ink_dark: float
    # 0 = the skin's own colour, 1 = black


def new_person(rng: np.random.Generator) -> Person:
    skin = SKINS[rng.integers(len(SKINS))]
    skin = mix(skin, SKINS[rng.integers(len(SKINS))], rng.uniform(0, 0.2))
    clothes, second = rng.choice(len(CLOTHES), size=2, replace=False)
    hairstyle = str(rng.choice(HAIRSTYLES))
    is_plain_face = hairstyle in ("bob", "pigtails", "bun") or rng.random() < 0.55
    beard = "none" if is_plain_face else str(rng.choice(["stubble", "full", "moustache", "goatee"]))
    has_ink = rng.random() < 0.75
    return Person(
        skin=skin,
        hair=HAIRS[rng.choice(len(HAIRS), p=HAIR_ODDS)],
        iris=IRISES[rng.integers(len(IRISES))],
        clothes=CLOTHES[clothes],
        second=CLOTHES[second],
        hairstyle=hairstyle,
        neckline=str(rng.choice(["crew", "v", "collar", "hood", "stripes"])),
        width=rng.uniform(0.74, 0.92),
        jaw=rng.uniform(0.66, 0.9),
        chin=rng.uniform(0.2, 0.42),
        eye_size=rng.uniform(0.17, 0.215),
        eye_gap=rng.uniform(0.34, 0.4),
        eye_y=rng.uniform(-0.02, 0.1),
        eye_slant=rng.normal(0, 0.07),
        brow_thick=rng.uniform(0.045, 0.1),
        brow_y=rng.uniform(0.27, 0.33),
        nose=str(rng.choice(["button", "hook", "wedge", "dots", "round"])),
        nose_size=rng.uniform(0.8, 1.25),
        mouth_width=rng.uniform(0.32, 0.42),
        lips=0.0 if rng.random() < 0.6 else rng.uniform(0.3, 0.9),
        glasses="none" if rng.random() < 0.72 else str(rng.choice(["round", "square", "half"])),
        beard=beard,
        has_freckles=bool(rng.random() < 0.2),
        has_earrings=bool(rng.random() < 0.25),
        blush=rng.uniform(0.0, 0.35),
        ink_width=rng.uniform(0.018, 0.036) if has_ink else 0.0,
        ink_dark=rng.uniform(0.55, 0.9),
    )


def ink_of(person: Person) -> Colour:
    return mix(person.skin, BLACK, 0.35 + 0.6 * person.ink_dark)


def line_width(person: Person) -> float:
    """Lines of the face are drawn even where outlines are not."""
    return max(person.ink_width, 0.02)
