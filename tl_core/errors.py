"""The door by which programs have always come to the errors: `from tl_core.errors import TlError`."""

from tl_core.base import errors
from tl_core.base.errors import *  # noqa: F403

__all__ = [name for name, value in vars(errors).items() if isinstance(value, type)]
