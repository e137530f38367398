"""Run a command with a client of the test instead of one from the command line's options."""

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

from aiocos import Client
from aiocos.cli.running import Settings, current_settings

Work = Callable[[Client], Coroutine[Any, Any, None]]


def work_of(command: Callable[..., None], *args: Any, **options: Any) -> Work:
    """Call a command and return the coroutine function that it would run with a client."""
    works: list[Work] = []
    token = current_settings.set(cast("Settings", SimpleNamespace(run=works.append, verbose=False)))
    try:
        command(*args, **options)
    finally:
        current_settings.reset(token)
    (work,) = works
    return work
