"""The program: exit codes, missing packages, output that cannot be encoded."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.shell import Shell

from aiocos import cli


def test_characters_that_the_terminal_lacks_are_escaped(shell: Shell, bucket: str):
    shell("cp", "-", f"cos://{bucket}/ü", stdin="x")
    shell.environment["PYTHONIOENCODING"] = "ascii"
    assert shell.run_process("ls", f"cos://{bucket}").stdout == b"\\xfc\n"
    assert b'"key": "\\u00fc"' in shell.run_process("ls", "--json", f"cos://{bucket}").stdout


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_reported_with_its_installation(missing: str):
    code = f"import sys; sys.modules[{missing!r}] = None; from aiocos.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr == f"aiocos: the command line needs {missing}: pip install 'aiocos[cli]'\n"


def test_the_library_does_not_import_the_command_line():
    code = "import sys, aiocos; print({'typer', 'rich', 'aiocos.cli'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "set()\n"


def ending(error: BaseException | None, context: BaseException | None = None) -> Callable[[], None]:
    """Return an application that raises `error` while `context` is handled."""

    def app() -> None:
        if error is not None:
            error.__context__ = context
            raise error

    return app


@pytest.mark.parametrize(
    ("app", "code"),
    [
        (ending(None), 0),
        (ending(SystemExit(3)), 3),
        (ending(SystemExit("text")), 1),
        (ending(SystemExit(None)), 0),
        (ending(SystemExit(1), BrokenPipeError()), 0),  # typer exits with 1 on a broken pipe
        (ending(BrokenPipeError()), 0),
        (ending(OSError(28, "No space left on device")), 1),
    ],
    ids=["returns", "exit 3", "exit with text", "exit with nothing", "typer's broken pipe", "broken pipe", "disk full"],
)
def test_the_exit_code(app: Callable[[], None], code: int):
    assert cli._run(app) == code


def test_output_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]):
    cli._run(ending(OSError(28, "No space left on device", "out.txt")))
    assert capsys.readouterr().err == "aiocos: out.txt: No space left on device\n"


def test_a_missing_module_that_is_not_of_the_extra_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    """`pip install 'aiocos[cli]'` would not help, so the traceback is shown."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "aiocos.cli.app":
            raise ModuleNotFoundError("No module named 'zlib'", name="zlib")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="zlib"):
        cli.main()


def test_importing_the_module_does_not_run_the_program():
    """multiprocessing imports the main module in each process that it starts."""
    code = "import aiocos.__main__"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == result.stderr == ""
