"""Writes docs/trials.md from what the trials saw.

AIOCOS_TRIALS=trials.json AIOCOS_KILLS=10 python -m pytest tests/fault_injection -n 0 -m "slow or not slow"
python benchmarks/peer_trials.py --json > peers.json
python benchmarks/peer_trials_hostile.py --json > hostile.json
python docs/write_trials.py trials.json [peers.json hostile.json]
"""

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "trials.md"

WHAT = {
    "E1": "Ten clients with one API key, 62 requests at once",
    "E1b": "IAM takes 6 s, 40 callers are waiting",
    "E1c": "IAM answers 429 with `Retry-After`, 500, garbage, an expired token, or breaks off",
    "E2": "The task of a multipart upload is cancelled",
    "E3": "A stream of 1.5 GiB and unknown length",
    "E3b": "Streams that end exactly with a part; of no and of one byte",
    "E4": "The object is replaced while it is downloaded in ranges",
    "E5": "The connection of a GET is cut at 3 MiB",
    "E6": "One bit turns over on the way, down or up",
    "E7": "A download that fails, over a file that is there",
    "E8": "400 puts, 100 at once; the service admits 8 for 50 ms each, and refuses the rest",
    "E9": "How long the event loop stands still while the first client is made, and by the first request",
    "E10": "A PUT of 4 MiB on an uplink of 100 kB/s, default timeouts",
    "E11": "The same client in a second `asyncio.run`; pickled to another process",
    "E12": "A presigned URL asked of a client with IAM credentials only",
    "E13": "`kill -9` during a transfer of 1 GiB, then the same call with `resume=True`",
    "E14": "The answer to the completion of an upload is lost",
    "E15": "A 200 whose body is an error",
    "E16": "A bucket or a service that means harm",
    "E17": "A service that answers 200 with something else: HTML, another document, nothing",
    "E18": "Sizes and nesting that do harm: 15 MB of nested XML, an object of 16 TiB that never comes",
    "E19": "State that is planted: keys named like our hidden files and journals, links swapped in during the run",
    "E20": "What is in a source and cannot be read: no permission, a link to nowhere, a pipe, a directory that vanishes midway",
    "E21": "A proxy in the environment, and a service on this machine",
    "E22": "A move whose service answers with the checksum of other bytes, or whose copy cannot be proven",
}

HEAD = """# The trials

How clients fail under trouble, and what this one does. Each row is a test in `tests/fault_injection/`, run against the emulator,
scripted faults or through a proxy that misbehaves, and what stands here was seen by these tests when the page was written
(Python {python}, aiohttp {aiohttp}):

    AIOCOS_TRIALS=trials.json AIOCOS_KILLS=10 python -m pytest tests/fault_injection -n 0 -m "slow or not slow"
    python benchmarks/peer_trials.py --json > peers.json
    python benchmarks/peer_trials_hostile.py --json > hostile.json
    python docs/write_trials.py trials.json peers.json hostile.json

Times are of the machine that this was run on. Other clients were put through the trials that need neither IAM nor a second
process, in the same way, with their own defaults ({peers}); where nothing is said of them the trial was not run.

| | what happens | what aiocos does | what others do |
|---|---|---|---|
"""


def row(trial: str, seen: list[dict[str, Any]], peers: list[dict[str, Any]]) -> str:
    """One line of the table."""
    ours: list[str] = []
    for one in seen:
        text = one["saw"] if one["held"] else f"**not held** ({one['test']})"
        if text not in ours:
            ours.append(text)
    theirs = [f"{one['client']}: {one['saw']}" for one in peers]
    return f"| {trial} | {WHAT[trial]} | {'; '.join(ours) or '**not run**'} | {'; '.join(theirs)} |"


def main(trials: str, *peers: str) -> None:
    told = json.loads(Path(trials).read_text())
    others: list[dict[str, Any]] = [row for path in peers for row in json.loads(Path(path).read_text())]
    versions = ", ".join(sorted({f"{one['client']} {one['version']}" for one in others})) or "none this time"
    lines = [
        row(trial, [one for one in told["trials"] if one["trial"] == trial], [one for one in others if one["trial"] == trial])
        for trial in WHAT
    ]
    PAGE.write_text(HEAD.format(**told["about"], peers=versions) + "\n".join(lines) + "\n")
    seen = {trial: [one["held"] for one in told["trials"] if one["trial"] == trial] for trial in WHAT}
    missing = [trial for trial, held in seen.items() if not held or not all(held)]
    if missing:
        sys.exit(f"not held, or not run: {', '.join(missing)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
