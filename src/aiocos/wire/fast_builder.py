"""A fast builder of results from headers, without pydantic's validation.

A small call ends with a result of about forty fields, of which the response sets about eight. Validation would take longer than
everything else that is done with the response. Headers are texts, whole numbers, booleans and times. If all have their usual
forms, the result is built from them directly, equal to what pydantic would build. Otherwise pydantic builds the whole result.

The fast builder relies on the slots of a pydantic instance. So at the first use of a class its results are compared with
pydantic's, and it is used only if they are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from aiocos.wire.document import Document, parse_time, unwrap
from aiocos.wire.received_headers import FormedHeaders, HeadForm

D = TypeVar("D", bound=Document)


class _NotFast(ValueError):
    """The value has an unusual form: pydantic must validate it."""


def _text(value: str) -> str:
    # Other text may not be UTF-8, which pydantic reports.
    if not value.isascii():
        raise _NotFast
    return value


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise _NotFast
    return int(value)


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise _NotFast
    return value == "true"


def _time(value: str) -> datetime:
    time = parse_time(value)
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise _NotFast
    return time


def _texts(values: dict[str, str]) -> dict[str, str]:
    for value in values.values():
        _text(value)
    return values


_READERS: dict[Any, Callable[[Any], Any]] = {str: _text, int: _number, bool: _boolean, datetime: _time, dict[str, str]: _texts}


class _Row(NamedTuple):
    """The positions of a result's fields in heads of one form."""

    cells: tuple[tuple[int, str, Callable[[Any], Any]], ...]
    """Position, field and reader of each value that is a field."""
    given: set[str] | None
    """The fields that are set. None: the general path builds these results."""
    maps: tuple[str, ...]
    """Fields that are empty dictionaries."""


class FastBuilder:
    """A builder of the results of one class. It is used only if `is_right`."""

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
            # A mutable default would need a copy for each instance. A dictionary is no problem: it is always given.
            complete = complete and (info.default is None or isinstance(info.default, str | int) or info.default == {})
            complete = complete and not info.is_required()
        try:
            self._writers = [BaseModel.__dict__[slot].__set__ for slot in _SLOTS]
            self.is_right = complete and self._is_right()
        except (AttributeError, KeyError, TypeError, ValueError):
            self.is_right = False

    def make(self, values: dict[str, Any]) -> Any:
        """Return a result; None if pydantic must build it."""
        state = self._defaults.copy()
        readers = self._readers
        try:
            for name, value in values.items():
                state[name] = readers[name](value) if value is not None else None
        except (KeyError, ValueError, TypeError):
            return None
        result = self._cls.__new__(self._cls)
        set_state, set_fields_set, set_extra, set_private = self._writers
        set_state(result, state)
        set_fields_set(result, set(values))
        set_extra(result, None)
        set_private(result, None)
        return result

    def from_headers(self, headers: FormedHeaders, by_name: dict[str, str], maps: tuple[tuple[str, str], ...]) -> Any:
        """Return the result in headers of a known form, or None.

        None: the general path must build it.

        Args:
            headers: The headers of a response.
            by_name: Fields by the name of their header in lower case.
            maps: Fields that are dictionaries, with the prefix of their headers.
        """
        cache = headers.form.cache
        row = cache.get(self._cls)
        if row is None:
            # Which header is which field follows from the form.
            row = cache[self._cls] = self._row_of(headers.form, by_name, maps)
        if row.given is None:
            return None
        state, texts = self._defaults.copy(), headers.texts
        try:
            for at, field, read in row.cells:
                state[field] = read(texts[at])
        except (ValueError, TypeError):
            return None
        for field in row.maps:
            state[field] = {}
        result = self._cls.__new__(self._cls)
        set_state, set_fields_set, set_extra, set_private = self._writers
        set_state(result, state)
        # One set for all results of a form: they are frozen, and copies get a set of their own.
        set_fields_set(result, row.given)
        set_extra(result, None)
        set_private(result, None)
        return result

    def _row_of(self, form: HeadForm, by_name: dict[str, str], maps: tuple[tuple[str, str], ...]) -> _Row:
        fields: dict[str, int] = {}
        for at, name in enumerate(map(str.lower, form.names)):
            if any(name.startswith(prefix) for _, prefix in maps):
                return _Row((), None, ())
            if (field := by_name.get(name)) is not None:
                # If a header is repeated, the first one counts.
                fields.setdefault(field, at)
        if not fields.keys() <= self._readers.keys():
            return _Row((), None, ())
        cells = [(at, field, self._readers[field]) for field, at in fields.items()]
        ids = (form.index_of("x-clv-request-id"), form.index_of("x-amz-request-id"))
        cells += [(at, "request_id", _text) for at in ids if at is not None][:1]
        names = tuple(name for name, _ in maps)
        return _Row(tuple(cells), {*fields, *names, "request_id"}, names)

    def _is_right(self) -> bool:
        values: dict[str, Any] = {"request_id": "r"}
        values |= {name: _SAMPLES[reader] for name, reader in self._readers.items() if reader in _SAMPLES}
        return self._same(values) and self._same({"request_id": "r"})

    def _same(self, values: dict[str, Any]) -> bool:
        values = {**values, **{name: {"a": "b"} for name, reader in self._readers.items() if reader is _texts}}
        return are_alike(self.make(values), self._cls.model_validate(values))


def are_alike(built: BaseModel, validated: BaseModel) -> bool:
    """Return True if an instance built without validation equals a validated one.

    Everything that pydantic stores in an instance is compared.
    """
    return (
        built == validated
        and validated == built
        and list(built.__dict__) == list(validated.__dict__)
        and repr(built) == repr(validated)
        and all(getattr(built, slot) == getattr(validated, slot) for slot in BaseModel.__slots__)
        and built.model_copy() == validated
    )


_SLOTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
_SAMPLES: dict[Callable[[Any], Any], Any] = {
    _text: "t",
    _number: "12",
    _boolean: "true",
    _time: "Fri, 20 Nov 2026 10:00:00 GMT",
}
