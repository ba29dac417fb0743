#!/usr/bin/env bash
# Pillow 13.0.0 and OpenCV 4.14.0: an RGB TIFF of 16 bits whose colours lie in separate planes is read in wrong
# colours by both, without a word, and not alike.
#
# tifffile, libtiff and microscopes write PlanarConfiguration 2; at 8 bits both decoders read it rightly. At
# 16 bits neither gives the values that were written.
#
# Why a good guess is wrong: "the other decoder will do" does not hold, a comparison of the two shows only that
# they differ, and neither raises. The way out: read the tag PlanarConfiguration (284) and let tifffile read
# such files, or refuse them.
#
# Seen 2026-11-29, Python 3.11, Pillow 13.0.0, opencv-python-headless 4.14.0.94, tifffile 2026.3.3:
#   8 bits: Pillow right, OpenCV right; 16 bits: Pillow wrong, OpenCV wrong
# Exits 0 while it is so, 1 when it has changed.
set -euo pipefail
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
python3 -m venv "$W/venv"
"$W/venv/bin/pip" -q install pillow==13.0.0 numpy==2.4.6 opencv-python-headless==4.14.0.94 tifffile==2026.3.3
"$W/venv/bin/python" - "$W" <<'PY'
import sys
import cv2, numpy as np, tifffile
from PIL import Image
grey = (np.add.outer(np.arange(60), np.arange(80)) * 1.5).astype(np.uint8)
rgb = np.stack([grey, grey // 2, 255 - grey], 2)
told = {}
for bits, factor in ((8, 1), (16, 257)):
    path = f"{sys.argv[1]}/{bits}.tif"
    planes = np.moveaxis(rgb.astype(np.uint8 if bits == 8 else np.uint16) * factor, 2, 0)
    tifffile.imwrite(path, np.ascontiguousarray(planes), planarconfig="separate", photometric="rgb")
    assert np.array_equal(tifffile.imread(path), planes)
    pillow = np.abs(np.asarray(Image.open(path)).astype(int) - rgb).max() <= 1
    opencv = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    told[bits] = pillow, opencv is not None and bool(np.array_equal(opencv[..., ::-1], rgb.astype(int) * factor))
said = {True: "right", False: "wrong"}
print("; ".join(f"{bits} bits: Pillow {said[bool(p)]}, OpenCV {said[o]}" for bits, (p, o) in told.items()))
sys.exit(0 if told == {8: (True, True), 16: (False, False)} else 1)
PY
