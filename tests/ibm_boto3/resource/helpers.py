"""What the tests of resources share."""

from __future__ import annotations

from tests.ibm_boto3.both_clients import client_of

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ServiceResource


def connected(emulator: Emulator) -> ServiceResource:
    """A resource on an emulator, whose client does not try again: what is asked is what was called."""
    return ServiceResource(client_of(emulator))


def asked(emulator: Emulator) -> list[str]:
    """The operations that were asked since the last look."""
    out = [request.operation for request in emulator.requests]
    emulator.requests.clear()
    return out
