#!/usr/bin/env bash
# Pillow 13.0.0: the same turned TIFF is upright when opened from memory and stays on its side when opened
# by its path.
#
# An uncompressed grey TIFF (8 or 16 bits) with orientation 6. `Image.open(path)` says the upright size,
# (60, 80), but load() maps the file into memory and leaves out the turning: the pixels are (80, 60) and as
# they lie in the file. `ImageOps.exif_transpose` does not mend it, since the tag has been used up by then.
# `Image.open(BytesIO(...))` of the same bytes is turned. Colour and compressed files are turned either way.
#
# Why a good guess is wrong: "Pillow turns TIFFs itself" holds in every test that reads bytes or colours, and
# the announced size is right, so it is the training on grey files from disk that sees them on their side.
# The way out: read the bytes and open those.
#
# Seen 2026-11-29, Python 3.11, Pillow 13.0.0, NumPy 2.4.6:
#   announced (60, 80), by path (80, 60), from memory (60, 80)
# Exits 0 while it is so, 1 when it has changed.
set -euo pipefail
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
python3 -m venv "$W/venv"
"$W/venv/bin/pip" -q install pillow==13.0.0 numpy==2.4.6
"$W/venv/bin/python" - "$W/turned.tif" <<'PY'
import io, sys
import numpy as np
from PIL import Image, ImageOps
path = sys.argv[1]
grey = (np.add.outer(np.arange(60), np.arange(80)) * 1.5).astype(np.uint8)  # 60 rows, 80 columns
Image.fromarray(grey).save(path, tiffinfo={274: 6})
announced = Image.open(path).size
by_path = ImageOps.exif_transpose(Image.open(path)).size
from_memory = ImageOps.exif_transpose(Image.open(io.BytesIO(open(path, "rb").read()))).size
print(f"announced {announced}, by path {by_path}, from memory {from_memory}")
sys.exit(0 if announced == from_memory == (60, 80) and by_path == (80, 60) else 1)
PY
