"""Compare the wheel and the sdist in a directory with the files in version control: `python .ci/check_dist.py dist`."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def problems(wheel: set[str], sdist: set[str], tracked: set[str]) -> list[str]:
    """Return a sentence for each file that is missing or should not be there. Names have no top directory."""
    package = {name.removeprefix("src/") for name in tracked if name.startswith("src/aiocos/")}
    metadata = {name for name in wheel if ".dist-info/" in name}
    endings = {name.partition(".dist-info/")[2] for name in metadata}
    return [
        *(f"not in the wheel: {name}" for name in sorted(package - wheel)),
        *(f"should not be in the wheel: {name}" for name in sorted(wheel - package - metadata)),
        *(f"not in the wheel's metadata: {name}" for name in sorted({"licenses/LICENSE", "entry_points.txt"} - endings)),
        *(["not in the wheel: aiocos/py.typed"] if "aiocos/py.typed" not in wheel else []),
        *(f"not in the sdist: {name}" for name in sorted(tracked - sdist)),
        *(f"should not be in the sdist: {name}" for name in sorted(sdist - tracked - {"PKG-INFO"})),
    ]


def main(directory: Path) -> int:
    """Print what is wrong with the one wheel and the one sdist in `directory`; return the exit code."""
    (wheel,) = directory.glob("*.whl")
    (sdist,) = directory.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if not name.endswith("/")}
    with tarfile.open(sdist) as archive:
        in_sdist = {member.name.partition("/")[2] for member in archive.getmembers() if not member.isdir()}
    tracked = set(subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout.split("\0")) - {
        ""
    }
    found = problems(in_wheel, in_sdist, tracked)
    print(*found, sep="\n", file=sys.stderr, end="\n" if found else "")
    print(f"{wheel.name}: {len(in_wheel)} files, {sdist.name}: {len(in_sdist)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
