"""An emulator in its own process, to be killed."""

import asyncio
import sys
from pathlib import Path

SERVE = """
import asyncio, sys
from pathlib import Path
from aiocos.emulator import Emulator
async def main():
    async with Emulator(Path(sys.argv[1])) as emulator:
        print(emulator.port, emulator.iam.issue(emulator.instance), emulator.service_instance_id, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def start_process(directory: Path) -> tuple[asyncio.subprocess.Process, str, dict[str, str]]:
    """Start an emulator on a directory. Returns the process, the endpoint and request headers with a token."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(directory), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port, token, crn = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().split()
    return process, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}", "ibm-service-instance-id": crn}
