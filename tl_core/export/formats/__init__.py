"""The formats by name. A new one is one module here with a FORMAT, and one line in MODULES."""

from __future__ import annotations

from importlib import import_module

from tl_core.base.errors import ConfigError
from tl_core.export.formats.record import Format

MODULES = {
    "onnx": "onnx_file",
    "onnx-int8": "onnx_int8",
    "torch": "torch_folder",
    "python": "python_folder",
    "web": "web_folder",
}
"""{name: its module}; told without loading one."""
NAMES = tuple(MODULES)


def named(name: str) -> Format:
    """Raises: ConfigError: there is no such format."""
    if name not in MODULES:
        raise ConfigError(name="format", value=name, need=", ".join(MODULES))
    found: Format = import_module(f"tl_core.export.formats.{MODULES[name]}").FORMAT
    return found
