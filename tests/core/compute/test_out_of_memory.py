"""Out of memory, in the words of every system that torch runs on."""

import pytest

from tl_core.base.errors import OutOfMemory
from tl_core.compute.out_of_memory import is_out_of_memory, memory_explained

SAID = [
    "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
    "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried to allocate",
    "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 4 GB, max allowed: 9.07 GB).",
]


@pytest.mark.parametrize("words", SAID, ids=["linux", "windows", "mps"])
def test_every_systems_words_are_answered_with_the_batch_that_fits(words):
    def step(size: int) -> None:
        if size > 8:
            raise RuntimeError(words)

    with pytest.raises(OutOfMemory) as caught, memory_explained(step, 64):
        step(64)
    assert caught.value.values == {"batch_size": 64, "fits": 8}


def test_another_failure_stays_what_it_is():
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
