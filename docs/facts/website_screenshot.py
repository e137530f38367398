"""Run the guide to static websites on an emulator and take the screenshot that the guide shows.

PYTHONPATH=tests python docs/facts/website_screenshot.py       needs Chromium
"""

import ast
import asyncio
import tempfile
from pathlib import Path

from aiocos.emulator import Emulator
from chromium import screenshot
from guides import blocks

GUIDE = Path(__file__).parent.parent / "guides" / "static-website.md"


async def main() -> None:
    async with Emulator() as emulator, emulator.client() as cos:
        # The first block builds the site; later ones send browsers elsewhere.
        (_, first), *_ = blocks(GUIDE)
        await eval(compile(first, str(GUIDE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {"cos": cos})
        with tempfile.TemporaryDirectory() as profile:
            await screenshot(emulator.website_endpoint("gardens"), Path(profile), GUIDE.with_suffix(".png"))


asyncio.run(main())
