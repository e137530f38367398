"""COS in a process of your own: for tests, for work without a network, for trying things out.

::

    async with Emulator() as emulator, emulator.client() as cos:
        await cos.buckets.create("photos")
        emulator.faults.script([Status(503, retry_after=1, operation="PutObject")])

It is built on the same statements of operations as the client, and shares nothing else with it.
"""

from typing import TYPE_CHECKING

from aiocos.emulator.clock import Clock
from aiocos.emulator.faults import Delay, ExpireToken, Fault, Faults, FlipBit, Hit, LateError, Reset, Status, Subject, Truncate
from aiocos.emulator.server import Server
from aiocos.emulator.service import Served
from aiocos.emulator.store import Instance

if TYPE_CHECKING:
    from aiocos.client import Client
    from aiocos.config import ClientConfig

__all__ = [
    "Clock",
    "Delay",
    "Emulator",
    "ExpireToken",
    "Fault",
    "Faults",
    "FlipBit",
    "Hit",
    "Instance",
    "LateError",
    "Reset",
    "Served",
    "Status",
    "Subject",
    "Truncate",
]


class Emulator(Server):
    """COS in this process, and clients for it."""

    def client(self, *, config: "ClientConfig | None" = None, hmac: bool = False, instance: Instance | None = None) -> "Client":
        """A client of this emulator: by API key, or with `hmac` by key pair; of its own instance or of another."""
        from aiocos.client import Client

        owner = instance or self.instance
        if hmac:
            return Client(
                endpoint=self.endpoint,
                access_key_id=owner.access_key_id,
                secret_access_key=owner.secret_access_key,
                config=config,
            )
        return Client(
            endpoint=self.endpoint,
            api_key=owner.api_key,
            service_instance_id=owner.crn,
            iam_endpoint=self.iam_endpoint,
            config=config,
        )
