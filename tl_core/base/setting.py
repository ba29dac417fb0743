"""What a setting is: its range, step, unit and words stand with its field. Whoever offers it (the command
line, the Train page), changes it (advice) or checks it (the record itself) reads them there."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from tl_core.base.errors import ConfigError
from tl_core.base.messages import say


@dataclass(frozen=True, kw_only=True)
class Setting:
    low: float | None = None
    high: float | None = None
    # both may be taken themselves; of a dict its values' bounds
    step: float | None = None
    # of the page's buttons
    unit: str = ""
    # key under [unit] of the messages; "" = a number without one
    term: str = ""
    # key of the pages' [terms]; "" = words of its own under [train]
    choices: tuple[str, ...] = ()
    pattern: str = ""
    # that a text must match
    example: str = ""
    # what may stand there, where a pattern says it badly
    group: str = ""
    # of the Train page's advanced settings that draws it by itself; "" = not there, or drawn by hand
    flag: str = ""
    # of the command line, where it is not the name's own; of a bool: the one that turns the default round

    name: str = ""
    # "seed"; of a stage "head.epochs"
    kinds: tuple[type, ...] = ()

    @property
    def is_whole(self) -> bool:
        return int in self.kinds

    @property
    def need(self) -> str:
        """What may stand there: "0..1000", "timm|torchvision"."""
        if self.low is not None:
            return f"{self.low:.10g}..{self.high:.10g}"
        kinds = (kind.__name__ for kind in self.kinds if kind is not type(None))
        return self.example or "|".join(self.choices or kinds)

    def allows(self, value: Any) -> bool:
        if isinstance(value, dict) and dict in self.kinds:
            return all(_is_of(item, float) and self._is_within(item) for item in value.values())
        return any(_is_of(value, kind) for kind in self.kinds) and (value is None or self._is_within(value))

    def _is_within(self, value: Any) -> bool:
        if self.low is not None and self.high is not None:
            return bool(self.low <= value <= self.high)
        if self.choices:
            return value in self.choices
        return not self.pattern or re.fullmatch(self.pattern, value) is not None

    def nearest(self, value: Any) -> Any:
        """The value itself, or the bound that it passes."""
        if isinstance(value, dict):
            return {key: self.nearest(item) for key, item in value.items()}
        if self.low is None or self.high is None:
            return value
        return min(max(value, self.low), self.high)

    def range_in_words(self, language: str, default: Any = None) -> str:
        """ "0 to 1000 epochs; default 15": what the command line's help and the page's "?" say; "" where
        there is nothing to say."""
        parts = []
        if self.low is not None:
            unit = say(f"unit.{self.unit}", language) if self.unit else ""
            low, high = f"{self.low:.10g}", f"{self.high:.10g}"
            parts.append(say("setting.range", language, low=low, high=high, unit=unit).strip())
        if default not in (None, "") and not isinstance(default, (bool, dict)):
            shown = f"{default:.10g}" if isinstance(default, (int, float)) else default
            parts.append(say("setting.default", language, value=shown))
        return "; ".join(parts)


def setting(default: Any = dataclasses.MISSING, **says: Any) -> Any:
    """A field with what `Setting` keeps about it."""
    return field(default=default, metadata={"setting": Setting(**says)})


@cache
def settings_of(record: type) -> dict[str, Setting]:
    """{field: its setting} of a settings record, in order; a record inside stands in `all_settings`."""
    hints = get_type_hints(record)
    found = {}
    for one in dataclasses.fields(record):
        kinds = tuple(get_origin(kind) or kind for kind in get_args(hints[one.name]) or (hints[one.name],))
        if dict in kinds and get_origin(hints[one.name]) is dict:
            kinds = (dict,)
        said = one.metadata.get("setting", Setting())
        found[one.name] = dataclasses.replace(said, name=one.name, kinds=kinds)
    return found


@cache
def all_settings(record: type) -> dict[str, Setting]:
    """The same, a stage's own as "head.epochs"."""
    return {one.name: one for one in _walk(record)}


def _walk(record: type) -> Iterator[Setting]:
    for one in settings_of(record).values():
        if dataclasses.is_dataclass(one.kinds[0]):
            for inner in settings_of(one.kinds[0]).values():
                yield dataclasses.replace(inner, name=f"{one.name}.{inner.name}")
        else:
            yield one


def require(record: Any) -> None:
    """A settings file may hold anything. Raises: ConfigError: a value of the wrong type or out of range."""
    kind: type = type(record)
    for name, one in settings_of(kind).items():
        if not one.allows(value := getattr(record, name)):
            raise ConfigError(name=name, value=value, need=one.need)


def _is_of(value: Any, kind: type) -> bool:
    """Whole numbers are numbers; true and false are not, although Python counts with them."""
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)
