"""The door by which programs have always come to the decisions; `tl_core.data.curation` is their home."""

from tl_core.data.curation import decide, decided, followed, undo, undo_all

__all__ = ["decide", "decided", "followed", "undo", "undo_all"]
