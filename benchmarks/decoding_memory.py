"""How much memory decoding takes at its worst: eight threads that each read a picture as large as is let in.

    python -m benchmarks.decoding_memory [KIND …]

The pictures are flat and harmless. Every kind is drawn in one process and read in another, whose peak of
resident memory (VmHWM of Linux, set back before reading) is compared with what it held before. Prints the
table of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

NUM_THREADS = 8
MEGAPIXELS = 40
"""The most that is decoded."""
PHONE = 5.2
"""Times as many pixels, of a JPEG that is decoded smaller."""
Size = tuple[int, int]
Draw = Callable[[Path, Size], None]


def _flat(mode: str, kind: str, times: float = 1, **options) -> Draw:
    def draw(path: Path, size: Size) -> None:
        Image.new(mode, (size[0], int(size[1] * times))).save(path, kind, **options)

    return draw


def _moving(mode: str, kind: str, **options) -> Draw:
    def draw(path: Path, size: Size) -> None:
        frames = [Image.new(mode, size, 255)]
        Image.new(mode, size).save(path, kind, save_all=True, append_images=frames, duration=50, **options)

    return draw


def _samples(dtype: str, channels: int) -> Draw:
    def draw(path: Path, size: Size) -> None:
        import cv2

        cv2.imwrite(str(path), np.zeros((size[1], size[0], channels), dtype))

    return draw


def _turned(path: Path, size: Size) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", size).save(path, "JPEG", exif=exif)


KINDS: dict[str, tuple[str, Draw]] = {
    "PNG, palette": ("png", _flat("P", "PNG")),
    "PNG, palette, transparent": ("png", _flat("P", "PNG", transparency=0)),
    "PNG, RGB": ("png", _flat("RGB", "PNG")),
    "PNG, RGBA": ("png", _flat("RGBA", "PNG")),
    "PNG, RGBA, 16 bits": ("png", _samples("uint16", 4)),
    "PNG, grey, 16 bits": ("png", _samples("uint16", 1)),
    "WebP": ("webp", _flat("RGB", "WEBP", lossless=True, method=0)),
    "WebP, RGBA, animated": ("webp", _moving("RGBA", "WEBP", lossless=True, method=0)),
    "GIF, animated": ("gif", _moving("P", "GIF")),
    "BMP": ("bmp", _flat("RGB", "BMP")),
    "JPEG": ("jpg", _flat("RGB", "JPEG")),
    "JPEG, turned": ("jpg", _turned),
    "JPEG, CMYK": ("jpg", _flat("CMYK", "JPEG")),
    "JPEG, 5.2 times as large": ("jpg", _flat("RGB", "JPEG", PHONE)),
    "JPEG, 5.2 times as large, progressive": ("jpg", _flat("RGB", "JPEG", PHONE, progressive=True)),
    "TIFF, RGB": ("tif", _flat("RGB", "TIFF", compression="tiff_lzw")),
    "TIFF, RGBA": ("tif", _flat("RGBA", "TIFF", compression="tiff_lzw")),
    "TIFF, RGB, 16 bits": ("tif", _samples("uint16", 3)),
    "TIFF, float": ("tif", _samples("float32", 1)),
    "TIFF, float, RGB": ("tif", _samples("float32", 3)),
    "JPEG 2000": ("jp2", _flat("RGB", "JPEG2000")),
    "AVIF": ("avif", _flat("RGB", "AVIF", speed=10)),
}
"""{what it is called: (its ending, what draws it)}"""


def resident(field: str) -> int:
    """MiB of this process: VmRSS now, VmHWM at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) >> 10


def peak_of_reading(path: Path, num_threads: int, megapixels: float) -> int:
    """MiB above what the process held before, while each thread reads the file once. megapixels: that may be
    decoded at one moment."""
    from tl_core.data.pixels import budget
    from tl_core.data.pixels.decode import read_square

    budget.MAX_PIXELS_AT_ONCE = int(megapixels * 1e6)
    read_square(path.with_name("small.png"), px=224)  # libraries are loaded
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # sets VmHWM back
    threads = [
        threading.Thread(target=read_square, args=(path,), kwargs={"px": 224}) for _ in range(num_threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return resident("VmHWM") - before


def peaks(kind: str, threads: tuple[int, ...], megapixels: float) -> tuple[int, list[int]]:
    """Bytes of the file, and MiB for each number of threads, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"large.{KINDS[kind][0]}"
        Image.new("RGB", (8, 8)).save(path.with_name("small.png"))
        words = [kind, "--megapixels", str(megapixels)]
        _in_process(*words, "--draw", str(path))
        found = [_in_process(*words, "--read", str(path), "--threads", str(num)) for num in threads]
        return path.stat().st_size, [int(one) for one in found]


def _in_process(*words: str) -> str:
    command = [sys.executable, "-m", "benchmarks.decoding_memory", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--megapixels", type=float, default=MEGAPIXELS)
    parser.add_argument("--threads", type=int, default=NUM_THREADS)
    for hidden in ("--draw", "--read"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    kinds = args.kinds or list(KINDS)
    if args.draw:
        KINDS[kinds[0]][1](args.draw, (8000, int(args.megapixels * 125)))
    elif args.read:
        print(peak_of_reading(args.read, args.threads, args.megapixels))
    else:
        print(f"| kind | file, KB | MiB, one thread | MiB, {args.threads} threads |\n|---|---|---|---|")
        for kind in kinds:
            size, (alone, together) = peaks(kind, (1, args.threads), args.megapixels)
            print(f"| {kind} | {size >> 10:,} | {alone} | {together} |", flush=True)


if __name__ == "__main__":
    main()
