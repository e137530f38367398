"""Run the emulator in a process that can be killed. Each line of standard input is a list of faults, by Python names."""

import asyncio
import json
import sys
from pathlib import Path

from aiocos import emulator as faults
from aiocos.emulator import Emulator


async def main(data: str, port: str) -> None:
    async with Emulator(Path(data), port=int(port), token_lifetime=60) as emulator:
        about = {
            name: getattr(emulator, name)
            for name in ("endpoint", "iam_endpoint", "api_key", "service_instance_id", "access_key_id", "secret_access_key")
        }
        print(json.dumps(about), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            script = json.loads(line)
            acted = len(emulator.faults.hits)
            emulator.faults.script(getattr(faults, name)(**given) for name, given in script)
            print(json.dumps(acted), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
