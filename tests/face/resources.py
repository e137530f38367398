"""What the tests of resources share."""

from __future__ import annotations

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import Config, ServiceResource


def connected(emulator: Emulator) -> ServiceResource:
    """A resource on an emulator, whose client does not try again: what is asked is what was called."""
    return ibm_boto3.resource(
        "s3",
        ibm_api_key_id=emulator.api_key,
        ibm_service_instance_id=emulator.service_instance_id,
        ibm_auth_endpoint=emulator.iam_endpoint,
        config=Config(signature_version="oauth", retries={"max_attempts": 0}),
        endpoint_url=emulator.endpoint,
    )


def asked(emulator: Emulator) -> list[str]:
    """The operations that were asked since the last look."""
    out = [request.operation for request in emulator.requests]
    emulator.requests.clear()
    return out
