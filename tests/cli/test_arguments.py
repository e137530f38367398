"""Options that commands share: sizes and confirmations."""

import pytest
import typer
from tests.cli.shell import Shell, on_terminal, posix

from aiocos.cli.arguments import parse_size


@posix
@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, ["k"]), ("y\n", 0, [])])
def test_confirmation_on_a_terminal(shell: Shell, bucket: str, answer: str, code: int, left: list[str]):
    shell("cp", "-", f"cos://{bucket}/k", stdin="x")
    ended, shown = on_terminal(shell, "rm", "-r", f"cos://{bucket}", typed=answer)
    assert ended == code
    assert "Delete everything" in shown
    assert shell("ls", f"cos://{bucket}").lines == left


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5242880", 5242880),
        ("0", 0),
        ("16MiB", 16 << 20),
        ("16mib", 16 << 20),
        ("20MB", 20_000_000),
        ("20M", 20_000_000),
        (" 1.5 KiB ", 1536),
        ("0.5GB", 500_000_000),
    ],
)
def test_sizes(text: str, size: int):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-5",
        "-16MiB",
        "big",
        "MiB",
        "1e6",
        "1,5MB",
        "16 MiB and more",
        "1.2.3MB",
        "16XB",
        "nan",
        "inf",
        "9" * 20,
        "9" * 400,
        "9" * 5000 + "MiB",
        "9EB9",
    ],
)
def test_texts_that_are_not_sizes(text: str):
    with pytest.raises(typer.BadParameter, match="is not a size: write 16MiB, 20MB or 5242880"):
        parse_size(text)


def test_a_wrong_size_is_a_usage_error_that_names_the_option(shell: Shell, bucket: str):
    outcome = shell("cp", "x", f"cos://{bucket}/", "--part-size=-5")
    assert outcome.code == 2
    assert "--part-size" in outcome.err
    assert "is not a size" in " ".join(outcome.err.replace("│", " ").split())
