#!/usr/bin/env bash
# Pillow 13.0.0 (libjpeg-turbo): a JPEG decoded at half size by `draft` is not the full picture averaged 2 x 2.
#
# `draft` lets libjpeg leave out the highest frequencies of each 8 x 8 block, the cheap way to a small picture that
# training pipelines and classifiers like. It works on brightness and colour apart, before they become RGB: colours
# that are stored at half size (4:2:0) are taken as they are, where a full decode smooths them upwards first and RGB
# is cut off at 0 and 255. At the edge of a saturated colour one value of RGB differs by 54 of 255.
#
# Why a good guess is wrong: Pillow calls the scaling of a DCT "draft", and at 1/2, 1/4, 1/8 each new pixel is the
# mean of a square of old ones; so it is taken for the same picture at a smaller size. A network that was trained on
# one way and asked in the other sees other colours at edges, most of all where phones' 4:2:0 meets small pictures.
# The way out: one way for both, or an export that says which.
#
# Seen 2026-11-29, Python 3.11, Pillow 13.0.0, NumPy 2.4.6, values that differ from the rounded mean of the full decode:
#   4:2:0 1/2: 36 % differ, 3.6 % by more than 1, at most 54
#   4:4:4 1/2: 37 % differ, 1.7 % by more than 1, at most 6
# Exits 0 while it is so, 1 when it has changed.
set -euo pipefail
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
python3 -m venv "$W/venv"
"$W/venv/bin/pip" -q install pillow==13.0.0 numpy==2.4.6
"$W/venv/bin/python" <<'PY'
import io
import sys
import numpy as np
from PIL import Image
px = 512
y, x = np.mgrid[:px, :px] / px
waves = (np.sin(9 * x + 4 * y), np.sin(7 * y - 3 * x + 1), np.sin(30 * x * y + 2))
drawn = 127 + 120 * np.stack(waves, -1)
drawn[(x - 0.5) ** 2 + (y - 0.4) ** 2 < 0.05] = (230, 30, 40)
picture, largest = Image.fromarray(drawn.clip(0, 255).astype(np.uint8)), {}
for subsampling, name in ((2, "4:2:0"), (0, "4:4:4")):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90, subsampling=subsampling)
    full = np.asarray(Image.open(file), dtype=float)
    mean = np.rint(full.reshape(px // 2, 2, px // 2, 2, 3).mean((1, 3))).astype(int)
    small = Image.open(file)
    small.draft("RGB", (px // 2, px // 2))
    off = abs(np.asarray(small).astype(int) - mean)
    largest[name] = off.max()
    print(f"{name} 1/2: {(off > 0).mean():.0%} differ, {(off > 1).mean():.1%} by more than 1, at most {off.max()}")
sys.exit(0 if largest["4:2:0"] > 20 and largest["4:4:4"] > 2 else 1)
PY
