"""IAM and the service with certificates of a private authority."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


def _certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of one's own")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "cert.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture
async def private(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[Private]:
    certificate, key = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    service = cos_emulator._running()[1]
    runner = web.ServerRunner(web.Server(service.respond, access_log=None, auto_decompress=False))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield Private(cos_emulator, f"https://127.0.0.1:{runner.addresses[0][1]}", str(certificate))
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
