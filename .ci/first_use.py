"""Put an object into the emulator and read it: what an installation without extras has to do."""

import asyncio

from aiocos.emulator import Emulator


async def main() -> None:
    """Write, read and compare."""
    async with Emulator() as emulator, emulator.client() as cos:
        await cos.buckets.create("photos")
        await cos.objects.put("photos", "a.txt", b"hello")
        assert await cos.objects.read("photos", "a.txt") == b"hello"


asyncio.run(main())
