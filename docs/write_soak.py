"""Writes docs/soak.md from the report of a soak.

AIOCOS_SOAK_SECONDS=600 AIOCOS_SOAK_REPORT=soak.json python -m pytest tests/soak -m soak
python docs/write_soak.py soak.json
"""

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "soak.md"

HEAD = """# The soak

Sixteen workers put, upload, download, copy and delete at random for {seconds:g} seconds, while faults come from all sides: the
service refuses, delays, lies within a 200, loses answers, turns bits over, lets tokens expire, and is killed by -9 and started
again; the way to it cuts, resets, stalls and turns bits over; callers cancel. A ledger holds what was acknowledged. At the end
everything is read again, without faults.

    AIOCOS_SOAK_SEED={seed} AIOCOS_SOAK_SECONDS={seconds:g} AIOCOS_SOAK_REPORT=soak.json python -m pytest tests/soak -m soak
    python docs/write_soak.py soak.json

| | |
|---|---|
| operations | {operations:,} |
| bytes over the wire | {gib:.1f} GiB |
| faults set going | {faults:,} |
| attempts made again | {retries:,} |
| keys written | {keys:,} |
| of them with two outcomes that are allowed, since an attempt went unanswered | {two:,} |
| **acknowledged and lost, or read and wrong** | **{losses}** |
| uploads left open that the client told of (it could not abort them) | {told} |
| uploads left open that nobody knows of | {unknown} |

An upload that nobody knows of is one whose creation was answered to nobody: nothing tells it from another writer's. The test
allows as many of them as creations went unanswered.

What became of the operations, and the faults:

| operation | times | | fault | times |
|---|---|---|---|---|
"""


def main(path: str) -> None:
    told: dict[str, Any] = json.loads(Path(path).read_text())
    operations, faults = list(told["operations"].items()), list(told["faults"].items())
    text = HEAD.format(
        seconds=told["seconds"],
        seed=told["seed"],
        operations=sum(count for _, count in operations),
        gib=told["bytes"] / 2**30,
        faults=sum(count for _, count in faults),
        retries=told["retries"],
        keys=told["keys"],
        two=told["of two possible outcomes"],
        losses=told["losses"],
        told=told["uploads left and told of"],
        unknown=told["uploads nobody knows of"],
    )
    for n in range(max(len(operations), len(faults))):
        left = operations[n] if n < len(operations) else ("", "")
        right = faults[n] if n < len(faults) else ("", "")
        text += f"| {left[0]} | {left[1]} | | {right[0]} | {right[1]} |\n"
    PAGE.write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
