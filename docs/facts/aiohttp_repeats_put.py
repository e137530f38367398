"""Show that aiohttp repeats a PUT if a kept-alive connection is closed before the response; net/transport.py prevents it.

The server responds to a first request. Then it reads a second one completely and closes the connection without a response, like
a service that carried out the request and then crashed. The program prints how often the second request arrived.
"""

import asyncio
from contextlib import suppress

import aiohttp


async def arrivals(repeat: bool) -> int:
    """Count the PUTs that arrive for one that is asked for."""
    seen = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        first = True
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"PUT"):
                    await reader.readexactly(5)
                    seen += 1
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                first = False
        if first:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        session._retry_connection = repeat
        await (await session.get(url)).read()
        with suppress(aiohttp.ClientError):
            await (await session.put(url, data=b"hello")).read()
    server.close()
    return seen


if __name__ == "__main__":
    for repeat in (True, False):
        print(f"repeat allowed: {repeat!s:5}  PUTs that arrived for one that was sent: {asyncio.run(arrivals(repeat))}")
