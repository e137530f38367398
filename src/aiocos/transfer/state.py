"""Find the directory in which transfers keep state between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_directory() -> Path:
    """Return the user's directory for journals of uploads. It may not exist yet.

    `%LOCALAPPDATA%\\aiocos` on Windows. Elsewhere `$XDG_STATE_HOME/aiocos` if that variable has an absolute path, else
    `~/Library/Application Support/aiocos` on macOS and `~/.local/state/aiocos` on Linux and other systems.
    https://specifications.freedesktop.org/basedir-spec/latest/

    Raises `RuntimeError` if the user has no home directory.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "aiocos"
    xdg = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(xdg):  # the specification: a relative path is invalid, and ignored
        return Path(xdg) / "aiocos"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "aiocos"
    return Path.home() / ".local" / "state" / "aiocos"
