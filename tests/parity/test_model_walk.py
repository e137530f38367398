"""Every operation of the SDK's model is offered or has a reason not to be, and the reference page has every operation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from aiocos.operations import every_operation
from aiocos.wire.spec import registry

DOCS = Path(__file__).parent.parent.parent / "docs"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_operation_is_offered_or_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    walk = _script("walk_model")
    assert walk.main() == 0
    shown = capsys.readouterr().out
    assert "81 operations in the model: 65 offered, 16 not offered" in shown
    assert "PutObject " in shown
    assert "offered as client.objects.put " in shown


def test_a_missing_operation_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    walk = _script("walk_model")
    monkeypatch.delitem(registry, "PutObject")
    monkeypatch.delitem(walk.NOT_SERVED, "GetObjectTorrent")
    assert walk.main() == 1
    assert "wrong: GetObjectTorrent, PutObject" in capsys.readouterr().out


def test_the_reference_has_every_operation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    reference = _script("writing_reference")
    reference.write(tmp_path)
    operations, documents = (tmp_path / "operations.md").read_text(), (tmp_path / "documents.md").read_text()
    ours = list(every_operation())
    assert [name for name in ours if f"### {name}\n" not in operations] == []
    assert "`PUT /{bucket}/{key}?retention` → 200" in operations
    assert "| `retention_period` | int or timedelta | header `Retention-Period` |" in operations
    assert "Method: `client.objects.get`, `client.objects.read`." in operations
    assert "| `days` | int **required** | `<Days>` |" in documents
    assert documents.count("](documents.md#") > 20
    assert "| `checksum_algorithm` | tuple of str |" in documents
    assert "Ellipsis" not in operations + documents
