"""Files with credentials: text, `NAME=value` lines and INI sections.

No error message shows what a file contains.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiocos.errors import ConfigError


def read_text(path: Path) -> str | None:
    """Return the text of the file at `path`; None if it doesn't exist.

    Raises `ConfigError` if the file can't be read or isn't UTF-8.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # Raised after the `except` block, because the decoder's error carries the bytes.
    raise ConfigError(f"{path} is not text in UTF-8")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the `NAME=value` lines of the file at `path`.

    Lines that begin with `#` are left out. Returns an empty dictionary if the file doesn't exist, and raises `ConfigError` if
    it can't be read.
    """
    text = read_text(path)
    if text is None:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def read_ini(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of the INI file at `path`.

    Returns an empty dictionary if the file doesn't exist, and raises `ConfigError` if it can't be read or isn't INI.
    """
    text = read_text(path)
    if text is None:
        return {}
    # Imported here: most clients read no such file.
    import configparser

    # No section passes its values on to the others, and a `%` in a secret is just a character.
    parser = configparser.RawConfigParser(default_section="")
    line = None
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or 0
    # Raised after the `except` block, because the parser's error quotes the line.
    if line is not None:
        raise ConfigError(f"{path} is not an INI file{f' (line {line})' if line else ''}")
    return {title: dict(parser.items(title)) for title in parser.sections()}


def text_value(values: Mapping[str, Any], name: str, path: Path) -> str | None:
    """Return a text of a JSON object; None if it is missing or empty.

    Raises `ConfigError` if the value isn't text.

    Args:
        values: The JSON object.
        name: Name of the value.
        path: File of the object, for the error message.
    """
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise ConfigError(f"{name} in {path} is not text")


_warned: set[Path] = set()


def warn_if_readable_by_all(path: Path) -> None:
    """Warn if every user of this machine can read the file at `path`.

    There is one warning for each file.
    """
    if path not in _warned and os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        _warned.add(path)
        warnings.warn(f"{path} holds credentials and can be read by everybody on this machine: chmod 600", stacklevel=3)
