"""Tests of `aiocos.operations.entries`: building entries without validation, compared with pydantic at the first use."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos.operations import entries
from aiocos.operations.listing import (
    ObjectEntry,
    ObjectVersion,
)

GIVEN = ["key", "last_modified", "etag", "size", "storage_class", "owner", "checksum_algorithm", "checksum_type"]
_UNLIKE = object()


def _is_detected(cls: type[Any], change: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return True if the comparison detects that `change` was applied to each entry."""
    make = entries._make

    def otherwise(*given: Any) -> Any:
        made = make(*given)
        for entry in made:
            change(entry)
        return made

    entries._can_make.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(entries, "_make", otherwise)
        made = entries._can_make(cls)
    entries._can_make.cache_clear()
    return made is False


@pytest.mark.parametrize(
    ("cls", "name"), [(cls, name) for cls in (ObjectEntry, ObjectVersion) for name in GIVEN]
    + [(ObjectVersion, "version_id"), (ObjectVersion, "is_latest")]
)  # fmt: skip
@pytest.mark.parametrize("given", [True, False])
def test_a_difference_in_any_field_is_detected(cls: type[Any], name: str, given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(entry: Any) -> None:
        if (name in entry.model_fields_set) == given:
            entry.__dict__[name] = _UNLIKE

    assert _is_detected(cls, change, monkeypatch) == (given or name != "key")


def test_the_installed_pydantic_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _is_detected(ObjectEntry, lambda _: None, monkeypatch)
    assert not _is_detected(ObjectVersion, lambda _: None, monkeypatch)
    assert entries._can_make(ObjectEntry) is True
    assert entries._can_make(ObjectVersion) is True


def test_a_model_with_another_field_is_detected() -> None:
    class Longer(ObjectEntry):
        more: int = 0

    assert entries._can_make(ObjectEntry)
    assert entries._can_make(ObjectVersion)
    assert not entries._can_make(Longer)
