"""The door by which programs have always come to the decoder; `tl_core.data.pixels.decode` is its home."""

from tl_core.data.pixels.decode import UnreadableImage, read_image, resize_square

__all__ = ["UnreadableImage", "read_image", "resize_square"]
