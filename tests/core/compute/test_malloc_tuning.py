"""The C library keeps its memory where that is possible and wanted."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core.compute import malloc_tuning

# In a process of its own: what is asked for here lasts until the process ends.
BLOCKS = """
import ctypes, json, psutil
from tl_core.compute.malloc_tuning import keep_memory
took = keep_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, size = [ctypes.c_void_p], 64 << 20
block = libc.malloc(size)
ctypes.memset(ctypes.c_void_p(block), 1, size)
before = psutil.Process().memory_info().rss
libc.free(block)
print(json.dumps([took, (before - psutil.Process().memory_info().rss) > size // 2]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize(("switch", "expected"), [("1", [True, False]), ("0", [False, True])])
def test_a_freed_block_stays_with_the_process_unless_switched_off(switch, expected):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS],
        cwd=Path(__file__).parents[3], env={malloc_tuning.SWITCH: switch}, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == expected, done.stderr


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert malloc_tuning.keep_memory() is False
