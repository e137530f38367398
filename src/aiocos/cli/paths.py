"""Parse `cos://bucket/key` arguments and choose target names for copies."""

from dataclasses import dataclass
from pathlib import Path

import typer

from aiocos.errors import ConfigError
from aiocos.transfer.location import CosLocation, is_cos_url, parse_parts


@dataclass(frozen=True, slots=True)
class CosPath(CosLocation):
    """A bucket and a key or prefix, as an argument of a command.

    The key is the text after the bucket, unchanged: nothing is decoded. It is empty for the bucket itself.
    """

    @classmethod
    def parse(cls, url: str) -> "CosPath":
        """Parse `cos://bucket/key`.

        Raises `typer.BadParameter` if the text has another form.
        """
        try:
            return cls(*parse_parts(url))
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None

    @property
    def name(self) -> str:
        """The part of the key after its last slash."""
        return self.key.rsplit("/", 1)[-1]

    @property
    def is_folder(self) -> bool:
        """True for a bucket, and for a key that ends in a slash.

        A copy to this path keeps the name of its source.
        """
        return not self.key or self.key.endswith("/")

    def is_below(self, other: "CosPath") -> bool:
        """Return True if every key below this path is also below the other path.

        A path is below itself.
        """
        return self.bucket == other.bucket and self.folder.startswith(other.folder)

    def of_object(self) -> "CosPath":
        """Return this path if it names an object.

        Raises `typer.BadParameter` for a bucket.
        """
        if not self.key:
            raise typer.BadParameter(f"{self} is a bucket: name an object in it")
        return self


Location = CosPath | Path | None
"""A source or target of `cp`: a path in COS, a local path, or None for standard input or output."""


def parse_location(text: str) -> Location:
    """Parse a source or target argument of `cp`."""
    if text == "-":
        return None
    return CosPath.parse(text) if is_cos_url(text) else Path(text)


def key_for(target: CosPath, name: str) -> str:
    """Return the key of the copy of a file called `name`.

    That is the key of the target, or a key below it if the target is a bucket or ends in a slash.
    """
    return f"{target.key}{name}" if target.is_folder else target.key


def file_for(target: Path, text: str, source: CosPath) -> Path:
    """Return the path of the copy of an object.

    That is the target, or a path below it if the target is a directory or its `text` ends in a slash.
    """
    if target.is_dir() or text.endswith(("/", "\\")):
        name = source.name
        if name in ("", ".", "..") or "\0" in name:
            raise typer.BadParameter(f"{source} has no file name in its key: write the name of the file")
        return target / name
    return target
