"""Write docs/soak.md from the report of a soak test.

AIOCOS_SOAK_SECONDS=600 AIOCOS_SOAK_REPORT=soak.json python -m pytest tests/soak -m soak
python docs/write_soak.py soak.json
"""

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "soak.md"

HEAD = """# Soak test

Sixteen workers put, upload, download, copy and delete at random for {seconds:g} seconds while faults are injected
everywhere. The service refuses requests, delays them, reports errors within a 200, loses responses, flips bits, lets tokens
expire, and is ended with `kill -9` and started again. The network cuts, resets and stalls connections and flips bits.
Callers cancel. A ledger records what was acknowledged. At the end everything is read again, without faults.

    AIOCOS_SOAK_SEED={seed} AIOCOS_SOAK_SECONDS={seconds:g} AIOCOS_SOAK_REPORT=soak.json python -m pytest tests/soak -m soak
    python docs/write_soak.py soak.json

| | |
|---|---|
| operations | {operations:,} |
| bytes over the network | {gib:.1f} GiB |
| faults injected | {faults:,} |
| retries | {retries:,} |
| keys written | {keys:,} |
| keys with two permitted outcomes, because an attempt got no response | {two:,} |
| **acknowledged and lost, or read and wrong** | **{losses}** |
| uploads left open that the client reported (it could not abort them) | {told} |
| uploads left open that the client did not know of | {unknown} |

The client does not know of an upload if the response to its creation was lost: nothing tells that upload from another
writer's. The test permits as many of them as responses to creations were lost.

Outcomes of the operations, and the injected faults:

| Operation | Times | | Fault | Times |
|---|---|---|---|---|
"""


def main(path: str) -> None:
    report: dict[str, Any] = json.loads(Path(path).read_text())
    operations, faults = list(report["operations"].items()), list(report["faults"].items())
    text = HEAD.format(
        seconds=report["seconds"],
        seed=report["seed"],
        operations=sum(count for _, count in operations),
        gib=report["bytes"] / 2**30,
        faults=sum(count for _, count in faults),
        retries=report["retries"],
        keys=report["keys"],
        two=report["of two possible outcomes"],
        losses=report["losses"],
        told=report["uploads left and told of"],
        unknown=report["uploads nobody knows of"],
    )
    for n in range(max(len(operations), len(faults))):
        left = operations[n] if n < len(operations) else ("", "")
        right = faults[n] if n < len(faults) else ("", "")
        text += f"| {left[0]} | {left[1]} | | {right[0]} | {right[1]} |\n"
    PAGE.write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
