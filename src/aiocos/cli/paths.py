"""`cos://bucket/key` and its relation to local paths."""

from dataclasses import dataclass
from pathlib import Path

import typer

from aiocos.errors import ConfigError
from aiocos.transfer.location import CosLocation, is_cos_url, parse_parts


@dataclass(frozen=True, slots=True)
class CosPath(CosLocation):
    """A bucket, and a key or a prefix (empty for the bucket itself), as an argument of a command."""

    @classmethod
    def parse(cls, url: str) -> "CosPath":
        """Parse `cos://bucket/key`. Raises a usage error if it is not one."""
        try:
            return cls(*parse_parts(url))
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None

    @property
    def name(self) -> str:
        """What stands behind the last slash of the key."""
        return self.key.rsplit("/", 1)[-1]

    @property
    def is_place(self) -> bool:
        """Whether a copy that goes here takes its source's name: a bucket, or a key that ends in a slash."""
        return not self.key or self.key.endswith("/")

    def is_below(self, other: "CosPath") -> bool:
        """Whether all that lies below this path lies below the other as well; a path is below itself."""
        return self.bucket == other.bucket and self.folder.startswith(other.folder)

    def of_object(self) -> "CosPath":
        """This path, if it names an object; a usage error for a bucket."""
        if not self.key:
            raise typer.BadParameter(f"{self} is a bucket: name an object in it")
        return self


Place = CosPath | Path | None
"""Where `cp` reads or writes: in COS, in a file, or (None) standard input and output."""


def place(text: str) -> Place:
    """Read an argument of `cp`."""
    if text == "-":
        return None
    return CosPath.parse(text) if is_cos_url(text) else Path(text)


def key_for(target: CosPath, name: str) -> str:
    """The key that a file of this name gets: the target's own, or below it where it is a bucket or ends in a slash."""
    return f"{target.key}{name}" if target.is_place else target.key


def file_for(target: Path, text: str, source: CosPath) -> Path:
    """The file that an object becomes: the target, or below it where it is a directory or ends in a slash."""
    if target.is_dir() or text.endswith(("/", "\\")):
        name = source.name
        if name in ("", ".", "..") or "\0" in name:
            raise typer.BadParameter(f"{source} has no name for a file: name the file")
        return target / name
    return target
