"""A transfer in its own process that the trial of resuming kills."""

import asyncio
import json
import sys
from pathlib import Path

import aiocos


async def main(what: str, endpoint: str, key_id: str, secret: str, path: str, journals: str, *sizes: str) -> None:
    part, width = (int(text) for text in sizes)
    transfer = aiocos.TransferConfig(part_size=part, concurrency=width, state_dir=journals)
    config = aiocos.ClientConfig(transfer=transfer)
    async with aiocos.Client(endpoint, access_key_id=key_id, secret_access_key=secret, config=config) as cos:
        if what == "up":
            up = await cos.upload("bucket", "key", Path(path), resume=True)
            print(
                json.dumps({"kept": up.resumed_bytes, "verified": up.verified, "size": up.size, "refused": up.resume_rejected})
            )
        else:
            down = await cos.download("bucket", "key", Path(path), resume=True)
            print(
                json.dumps(
                    {"kept": down.resumed_bytes, "verified": down.verified, "size": down.size, "refused": down.resume_rejected}
                )
            )


asyncio.run(main(*sys.argv[1:]))
