"""Standard input, output and error, which may be closed (`>&-`, `<&-`), full, or a pipe that nobody reads any more.

Python has no `sys.stdout` where the descriptor is closed, and the next file or socket that is opened gets its number: what is
printed would go into it. So every closed descriptor is opened again, the wrong way round: output for reading, input for
writing. Nothing else can get the number, and whoever uses it gets the error that it should get. A command that uses neither
does not notice.
"""

import os
import sys


def reopen() -> None:
    """Give every closed standard stream a descriptor that cannot be used; standard error one that goes nowhere."""
    for number, name, flags, mode in (
        (0, "stdin", os.O_WRONLY, "r"),
        (1, "stdout", os.O_RDONLY, "w"),
        (2, "stderr", os.O_WRONLY, "w"),
    ):
        try:
            os.fstat(number)
        except OSError:
            made = os.open(os.devnull, flags)
            if made != number:
                os.dup2(made, number)
                os.close(made)
        if getattr(sys, name) is None:
            # Line buffering writes at once: an error shall come from the command, and not after it.
            setattr(sys, name, open(number, mode, buffering=1, encoding="utf-8", closefd=False))  # noqa: SIM115 - to the end


def finish(status: int) -> int:
    """Write what standard output still holds; return the exit status, which is 1 where that fails.

    Whoever has stopped reading has what he wanted: that is no failure.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard()
    except (OSError, ValueError) as error:
        _discard()
        if not status:
            sys.stderr.write(f"aiocos: standard output: {getattr(error, 'strerror', None) or error}\n")
            return 1
    return status


def _discard() -> None:
    """Let what is left go nowhere: the interpreter writes it once more at its end, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
    finally:
        os.close(nowhere)
