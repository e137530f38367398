"""The pytest plugin in strict and in auto mode, and its import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
import pytest

{mark}
async def test_it(cos, cos_emulator):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a", b"hello")
    assert await cos.objects.read("photos", "a") == b"hello"
    assert cos_emulator.requests[-1].operation == "GetObject"

{mark}
async def test_fresh(cos):
    assert await cos.buckets.list() == []
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_the_fixtures_work_in_both_asyncio_modes(tmp_path: Path, mode: str) -> None:
    mark = "@pytest.mark.asyncio" if mode == "strict" else ""
    (tmp_path / "test_user.py").write_text(TEST.format(mark=mark))
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert "2 passed" in run.stdout, run.stdout + run.stderr


def test_the_plugin_without_pytest_asyncio(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text("def test_it(cos):\n    pass\n")
    (tmp_path / "conftest.py").write_text("")
    code = (
        "import sys; sys.modules['pytest_asyncio'] = None\n"
        "import pytest\n"
        "plugins = ['-p', 'no:cacheprovider', '-p', 'aiocos.integrations.pytest']\n"
        "sys.exit(pytest.main(['-q', *plugins, sys.argv[1]]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=100,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert "need pytest-asyncio" in run.stdout, run.stdout + run.stderr


def test_loading_the_plugin_does_not_import_the_emulator() -> None:
    code = "import sys, aiocos.integrations.pytest; print('aiocos.emulator' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "False", run.stderr
