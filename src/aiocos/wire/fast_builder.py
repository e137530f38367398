"""Results of headers, made without validation.

A small call ends with a result of forty fields of which eight have come, and validating them takes longer than all else that is
done with the answer. Headers are texts, whole numbers, truths and times; where they stand in their usual forms, the result is
made of them as pydantic would make it. Anything else is left to pydantic, wholly: so no answer is read otherwise.

That a result made like this is the one that pydantic makes is tried out for every class at its first use, since it relies on
what pydantic keeps in an instance.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from aiocos.wire.document import Document, parse_time, unwrap

D = TypeVar("D", bound=Document)


class _NotFast(ValueError):
    """A value in another form than the usual one."""


def _text(value: str) -> str:
    # What is not ASCII may not be UTF-8 either, and pydantic says so.
    if not value.isascii():
        raise _NotFast
    return value


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise _NotFast
    return int(value)


def _truth(value: str) -> bool:
    if value not in ("true", "false"):
        raise _NotFast
    return value == "true"


def _time(value: str) -> datetime:
    made = parse_time(value)
    if not isinstance(made, datetime) or made.tzinfo is None:
        raise _NotFast
    return made


def _texts(values: dict[str, str]) -> dict[str, str]:
    for value in values.values():
        _text(value)
    return values


_READERS: dict[Any, Callable[[Any], Any]] = {str: _text, int: _number, bool: _truth, datetime: _time, dict[str, str]: _texts}


class FastBuilder:
    """Makes the results of one class."""

    def __init__(self, cls: type[Document]) -> None:
        self._cls = cls
        self._readers: dict[str, Callable[[Any], Any]] = {}
        self._defaults: dict[str, Any] = {}
        complete = True
        for name, info in cls.model_fields.items():
            reader = _READERS.get(unwrap(info.annotation))
            if reader is not None:
                self._readers[name] = reader
            self._defaults[name] = info.default
            # A default that can be changed is made anew for every instance, a dictionary is always given.
            complete = complete and (info.default is None or isinstance(info.default, str | int) or info.default == {})
            complete = complete and not info.is_required()
        try:
            self._writers = [BaseModel.__dict__[slot].__set__ for slot in _SLOTS]
            self.is_right = complete and self._is_right()
        except (AttributeError, KeyError, TypeError, ValueError):
            self.is_right = False

    def make(self, values: dict[str, Any]) -> Any:
        """Make a result; None where pydantic has to."""
        state = self._defaults.copy()
        readers = self._readers
        try:
            for name, value in values.items():
                state[name] = readers[name](value) if value is not None else None
        except (KeyError, ValueError, TypeError):
            return None
        made = self._cls.__new__(self._cls)
        whole, given, extra, private = self._writers
        whole(made, state)
        given(made, set(values))
        extra(made, None)
        private(made, None)
        return made

    def _is_right(self) -> bool:
        values: dict[str, Any] = {"request_id": "r"}
        values |= {name: _SAMPLES[reader] for name, reader in self._readers.items() if reader in _SAMPLES}
        return self._same(values) and self._same({"request_id": "r"})

    def _same(self, values: dict[str, Any]) -> bool:
        values = {**values, **{name: {"a": "b"} for name, reader in self._readers.items() if reader is _texts}}
        return are_alike(self.make(values), self._cls.model_validate(values))


def are_alike(made: BaseModel, validated: BaseModel) -> bool:
    """Tell whether an instance that was made without validation is the one that pydantic makes, in all that pydantic keeps."""
    return (
        made == validated
        and validated == made
        and list(made.__dict__) == list(validated.__dict__)
        and repr(made) == repr(validated)
        and all(getattr(made, slot) == getattr(validated, slot) for slot in BaseModel.__slots__)
        and made.model_copy() == validated
    )


_SLOTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
_SAMPLES: dict[Callable[[Any], Any], Any] = {
    _text: "t",
    _number: "12",
    _truth: "true",
    _time: "Fri, 20 Nov 2026 10:00:00 GMT",
}
