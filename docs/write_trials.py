"""Write docs/trials.md from what the tests of fault injection observed.

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
    "E1": "Ten clients with one API key send 62 requests at once",
    "E1b": "IAM takes 6 s while 40 callers wait",
    "E1c": "IAM responds with 429 and `Retry-After`, with 500, garbage or an expired token, or breaks the connection",
    "E2": "The task of a multipart upload is cancelled",
    "E3": "A stream of 1.5 GiB and unknown length is uploaded",
    "E3b": "Streams end exactly at the end of a part, or have no byte or one byte",
    "E4": "The object is replaced while it is downloaded in ranges",
    "E5": "The connection of a GET is cut at 3 MiB",
    "E6": "One bit is flipped on the way, in a download or an upload",
    "E7": "A download over an existing file fails",
    "E8": "400 PUTs, 100 at once, to a service that accepts 8 for 50 ms each and refuses the rest",
    "E9": "How long the first client and the first request block the event loop",
    "E10": "A PUT of 4 MiB on an uplink of 100 kB/s, with default timeouts",
    "E11": "A client is used in a second `asyncio.run`, and pickled to another process",
    "E12": "A client with only IAM credentials is asked for a presigned URL",
    "E13": "`kill -9` during a transfer of 1 GiB, then the same call with `resume=True`",
    "E14": "The response to the completion of an upload is lost",
    "E15": "The body of a 200 is an error",
    "E16": "A malicious bucket or service",
    "E17": "A service responds 200 with something else: HTML, another document, nothing",
    "E18": "Harmful sizes and nesting: 15 MB of nested XML, an object of 16 TiB that never arrives",
    "E19": "Planted state: keys named like hidden files and journals, links that appear during the run",
    "E20": "Parts of a source cannot be read: no permission, a broken link, a pipe, a directory that disappears midway",
    "E21": "A proxy in the environment, and a service on this machine",
    "E22": "A move whose service reports the checksum of other bytes, or whose copy cannot be verified",
}

HEAD = """# Trials

This page shows how clients behave when something fails. Each trial is a test in `tests/fault_injection/`. It runs against the
emulator with scripted faults, or through a proxy that misbehaves. The tests recorded what they observed, and this page was
written from that record (Python {python}, aiohttp {aiohttp}):

    AIOCOS_TRIALS=trials.json AIOCOS_KILLS=10 python -m pytest tests/fault_injection -n 0 -m "slow or not slow"
    python benchmarks/peer_trials.py --json > peers.json
    python benchmarks/peer_trials_hostile.py --json > hostile.json
    python docs/write_trials.py trials.json peers.json hostile.json

Times depend on the machine. Other clients went through the trials that need neither IAM nor a second process, under the same
conditions and with their own defaults: {peers}. Where a client is not mentioned, the trial was not run with it.

## Results

"""


def section(trial: str, seen: list[dict[str, Any]], peers: list[dict[str, Any]]) -> str:
    """Return the section of one trial: its title, what aiocos did, what other clients did."""
    ours: list[str] = []
    for one in seen:
        text = one["saw"] if one["held"] else f"**failed** ({one['test']})"
        if text not in ours:
            ours.append(text)
    lines = [f"### {trial}: {WHAT[trial]}", ""]
    lines += _item("aiocos", ours or ["**not run**"])
    for client in dict.fromkeys(one["client"] for one in peers):
        lines += _item(client, [one["saw"] for one in peers if one["client"] == client])
    return "\n".join(lines) + "\n"


def _item(client: str, texts: list[str]) -> list[str]:
    if len(texts) == 1:
        return [f"* {client}: {texts[0]}"]
    return [f"* {client}:", *(f"  * {text}" for text in texts)]


def main(trials: str, *peers: str) -> None:
    record = json.loads(Path(trials).read_text())
    others: list[dict[str, Any]] = [one for path in peers for one in json.loads(Path(path).read_text())]
    versions = ", ".join(sorted({f"{one['client']} {one['version']}" for one in others})) or "none in this run"
    sections = [
        section(
            trial, [one for one in record["trials"] if one["trial"] == trial], [one for one in others if one["trial"] == trial]
        )
        for trial in WHAT
    ]
    PAGE.write_text(HEAD.format(**record["about"], peers=versions) + "\n".join(sections))
    seen = {trial: [one["held"] for one in record["trials"] if one["trial"] == trial] for trial in WHAT}
    missing = [trial for trial, held in seen.items() if not held or not all(held)]
    if missing:
        sys.exit(f"failed, or not run: {', '.join(missing)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
