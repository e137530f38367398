"""IAM and the service with certificates of a private authority."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from aiohttp import web

import aiocos
from aiocos import Client, ClientConfig
from aiocos.emulator import Emulator


@dataclass
class Private:
    """An emulator behind TLS."""

    emulator: Emulator
    endpoint: str
    ca_file: str

    def client(self, **config: object) -> Client:
        return Client(
            endpoint=self.endpoint,
            iam_endpoint=f"{self.endpoint}/identity/token",
            api_key=self.emulator.api_key,
            service_instance_id=self.emulator.service_instance_id,
            config=ClientConfig(**config),  # type: ignore[arg-type]
        )


@pytest.fixture
async def private(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[Private]:
    authority, ca_file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    service = cos_emulator._running()[1]
    runner = web.ServerRunner(web.Server(service.respond, access_log=None, auto_decompress=False))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield Private(cos_emulator, f"https://127.0.0.1:{runner.addresses[0][1]}", str(ca_file))
    await runner.cleanup()


async def test_ca_file(private: Private) -> None:
    async with private.client(ca_file=private.ca_file) as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"by TLS")
        assert await cos.objects.read("bucket", "key") == b"by TLS"
    assert len(private.emulator.iam.requests) == 1


async def test_untrusted_certificate_is_refused(private: Private) -> None:
    async with private.client() as cos:
        with pytest.raises(aiocos.CredentialsError, match=r"(?i)certificate"):
            await cos.buckets.list()
    assert private.emulator.iam.requests == []


async def test_verify_tls_false_warns(private: Private) -> None:
    with pytest.warns(UserWarning, match="TLS certificates are not verified"):
        unverified = private.client(verify_tls=False)
    async with unverified as cos:
        await cos.buckets.list()
        # Clients that verify certificates share no token with clients that don't.
        async with private.client(ca_file=private.ca_file) as verifying:
            await verifying.buckets.list()
    assert len(private.emulator.iam.requests) == 2
