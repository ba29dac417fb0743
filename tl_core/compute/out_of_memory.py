"""Out of memory, answered with the batch size that would fit."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from tl_core.base.errors import OutOfMemory

SAID = ("can't allocate memory", "not enough memory", "out of memory")
"""By torch's allocators on Linux and macOS, on Windows, and for Apple's graphics; none has a class."""


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way in which torch and Python say so."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAID)


def largest_batch(step: Callable[[int], None], below: int) -> int:
    """The largest of below/2, below/4, … for which `step(batch size)` fits; 0 when not even 1 does."""
    size = below // 2
    while size >= 1:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            step(size)
            return size
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        size //= 2
    return 0


@contextmanager
def memory_explained(step: Callable[[int], None], batch_size: int) -> Iterator[None]:
    """Turns an allocation failure inside into a sentence for the person.

    step: does what was done inside, for a batch of the given size.
    Raises: OutOfMemory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        failure = error
    else:
        return
    failure.__traceback__ = None  # it holds the very tensors that did not fit
    raise OutOfMemory(batch_size=batch_size, fits=largest_batch(step, batch_size))
