"""Hostile numbers, dates, ranges and markers: every request gets a response, and never an internal error."""

from datetime import datetime
from typing import Any, get_args

import aiohttp
import pytest
import pytest_asyncio

from aiocos.emulator import Emulator
from aiocos.emulator.context import handlers
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Header, Operation, Parameter, Query

from .conftest import Raw, md5

NINES = "9" * 5000
NUMBERS = [
    *("", "0", "-1", "1.5", "1e3", "+5", " 5", "1_0", "0x5", "nan", "inf", "x", "True", "\u00b2", "\u0665"),
    *(NINES[:9], NINES[:18], NINES[:20], f"-{NINES[:20]}", NINES, "2147483648", "9223372036854775808"),
]
DATES = [
    *("", "0", "-1", "x", NINES[:30], "0000-00-00", "2026-02-30T00:00:00Z", "1e300", "nan", "Thu, 99 Foo 2026 00:00:00 GMT"),
    *("Thu, 01 Jan 0000 00:00:00 GMT", "Thu, 01 Jan 0001 00:00:00 +2359", "Thu, 01 Jan 1970 00:00:00 +99999999"),
    *("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "Thu, 01 Jan 2026 00:00:00 +0200"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00"),
    *("9999-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
]
RANGES = [
    *("bytes=", "bytes=-", f"bytes=0-{NINES}", f"bytes={NINES}-", f"bytes=-{NINES[:30]}", "bytes=-0", "bytes=5-2", "x"),
    *("bytes=\u0665-\u0666", "bytes=+1-2", "bytes=1_0-20", "bytes=0-0,2-3", "bytes=0x1-0x2", "bytes 0-1/2"),
]
TEXTS = [
    *("", "x", "%00", "\u00fc", NINES[:400], "a,b;c=d&e", "/", "//a", "-1", "1", "bytes=0-1", "=", f"1-{NINES[:30]}"),
    *("nan-1", "1.5-x", NINES[:30]),
]


ENDING = ("DeleteBucket", "DeleteObject", "DeleteObjects", "AbortMultipartUpload", "CompleteMultipartUpload")


def hostile(parameter: Parameter) -> list[str]:
    kinds = {parameter.type, *get_args(parameter.type)}
    if kinds & {int, float}:
        return NUMBERS
    if datetime in kinds:
        return DATES
    return RANGES if ByteRange in kinds else TEXTS


def encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


async def send_with(raw: Raw, cls: type[Operation[Any]], upload: str, values: dict[str, str]) -> None:
    """Send a request of an operation with other values for some parameters. The response must not be an internal error."""
    statement = cls.spec
    usual = {"uploadId": upload, "partNumber": "1", "x-amz-copy-source": "/bucket/there", "Content-MD5": md5(b"")}
    headers: dict[str, str] = {}
    query = [f"{name}={value}" if value else name for name, value in statement.query]
    for parameter in statement.parameters:
        place = parameter.location
        if not isinstance(place, Header | Query):
            continue
        value = values.get(parameter.name, usual.get(place.name) if parameter.required else None)
        if value is None:
            continue
        if isinstance(place, Query):
            query.append(f"{place.name}={encoded(value)}")
        else:
            headers[place.name] = value
    path = "/bucket/there" if statement.has_key else "/bucket" if statement.has_bucket else "/"
    body = b"x" if statement.has_payload and not statement.query else b""
    response = await raw.send(statement.method, f"{path}?{'&'.join(query)}", body, headers)
    assert response.status < 500 or response.status == 501, (cls.__name__, values, response.body)


@pytest_asyncio.fixture(loop_scope="module")
async def upload(raw: Raw) -> str:
    assert (await raw.put("/bucket/there", b"content")).status == 200
    return (await raw.post("/bucket/there?uploads")).texts("UploadId")[0]


@pytest.mark.parametrize("cls", sorted(handlers, key=lambda cls: cls.__name__))
async def test_hostile_values_of_every_parameter(raw: Raw, upload: str, cls: type[Operation[Any]]) -> None:
    for parameter in cls.spec.parameters:
        if not isinstance(parameter.location, Header | Query):
            continue
        for value in hostile(parameter):
            if isinstance(parameter.location, Header) and (value != value.strip() or not value.isprintable()):
                continue
            await send_with(raw, cls, upload, {parameter.name: value})
            if cls.__name__ in ENDING:
                # These remove what the next requests need.
                assert (await raw.put("/bucket")).status in (200, 409)
                assert (await raw.put("/bucket/there", b"content")).status == 200


RULE = "<Rule><ID>r</ID><Filter/><Status>Enabled</Status>{}</Rule>"
LOCK = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>{}</Rule></ObjectLockConfiguration>"
CORS = (
    "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    "<MaxAgeSeconds>@</MaxAgeSeconds></CORSRule></CORSConfiguration>"
)
WEBSITE = (
    "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument><RoutingRules><RoutingRule><Redirect>"
    "<HttpRedirectCode>@</HttpRedirectCode><ReplaceKeyWith>k</ReplaceKeyWith></Redirect></RoutingRule></RoutingRules>"
    "</WebsiteConfiguration>"
)
REPLICATION = (
    "<ReplicationConfiguration><Role>r</Role><Rule><ID>r</ID><Status>Enabled</Status><Priority>@</Priority><Filter/>"
    "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>"
    "<Destination><Bucket>target</Bucket></Destination></Rule></ReplicationConfiguration>"
)
DOCUMENTS = {
    "expiry in days": ("/locked?lifecycle", RULE.format("<Expiration><Days>@</Days></Expiration>"), NUMBERS),
    "expiry by date": ("/locked?lifecycle", RULE.format("<Expiration><Date>@</Date></Expiration>"), DATES),
    "archive in days": (
        "/locked?lifecycle",
        RULE.format("<Transition><Days>@</Days><StorageClass>GLACIER</StorageClass></Transition>"),
        NUMBERS,
    ),
    "archive by date": (
        "/locked?lifecycle",
        RULE.format("<Transition><Date>@</Date><StorageClass>GLACIER</StorageClass></Transition>"),
        DATES,
    ),
    "old versions": (
        "/locked?lifecycle",
        RULE.format("<NoncurrentVersionExpiration><NoncurrentDays>@</NoncurrentDays></NoncurrentVersionExpiration>"),
        NUMBERS,
    ),
    "stale uploads": (
        "/locked?lifecycle",
        RULE.format(
            "<AbortIncompleteMultipartUpload><DaysAfterInitiation>@</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
        ),
        NUMBERS,
    ),
    "a default lock in days": (
        "/locked?object-lock",
        LOCK.format("<DefaultRetention><Mode>GOVERNANCE</Mode><Days>@</Days></DefaultRetention>"),
        NUMBERS,
    ),
    "a default lock in years": (
        "/locked?object-lock",
        LOCK.format("<DefaultRetention><Mode>GOVERNANCE</Mode><Years>@</Years></DefaultRetention>"),
        NUMBERS,
    ),
    "a lock": (
        "/locked/locked?retention",
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>@</RetainUntilDate></Retention>",
        DATES,
    ),
    "a restore": ("/archived/there?restore", "<RestoreRequest><Days>@</Days></RestoreRequest>", NUMBERS),
    "the parts of an upload": (
        "/bucket/there?uploadId=UPLOAD",
        "<CompleteMultipartUpload><Part><ETag>x</ETag><PartNumber>@</PartNumber></Part></CompleteMultipartUpload>",
        NUMBERS,
    ),
    "cors": (
        "/bucket?cors",
        CORS,
        NUMBERS,
    ),
    "a website": (
        "/bucket?website",
        WEBSITE,
        [*NUMBERS, "302"],
    ),
    "replication": (
        "/locked?replication",
        REPLICATION,
        NUMBERS,
    ),
    **{
        f"protection: {kind}": (
            "/protected?protection",
            "<ProtectionConfiguration><Status>Retention</Status>"
            + "".join(
                f"<{other}Retention><Days>{'@' if other == kind else days}</Days></{other}Retention>"
                for other, days in (("Minimum", 1), ("Default", 5), ("Maximum", 10))
            )
            + "</ProtectionConfiguration>",
            NUMBERS,
        )
        for kind in ("Minimum", "Default", "Maximum")
    },
}


@pytest.mark.parametrize("kind", DOCUMENTS)
async def test_hostile_values_in_documents(raw: Raw, upload: str, kind: str) -> None:
    """Includes what follows if a value is accepted: later writes, reads and listings in the bucket."""
    target, text, values = DOCUMENTS[kind]
    for bucket in ("target", "protected", "archived"):
        assert (await raw.put(f"/{bucket}")).status == 200
    assert (await raw.put("/locked", x_amz_bucket_object_lock_enabled="true")).status == 200
    versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert (await raw.put("/target?versioning", versioning)).status == 200
    archive = RULE.format("<Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>")
    document = f"<LifecycleConfiguration>{archive}</LifecycleConfiguration>".encode()
    assert (await raw.put("/archived?lifecycle", document, Content_MD5=md5(document))).status == 200
    for name in ("/locked/locked", "/archived/there"):
        assert (await raw.put(name, b"x")).status == 200
    bucket, taken = target.partition("?")[0].split("/")[1], False
    for n, value in enumerate(values):
        document = text.replace("@", value).encode()
        if text.startswith("<Rule>"):
            document = b"<LifecycleConfiguration>" + document + b"</LifecycleConfiguration>"
        method = "POST" if "upload" in target or "restore" in target else "PUT"
        responses = [await raw.send(method, target.replace("UPLOAD", upload), document, {"Content-MD5": md5(document)})]
        later = f"/{bucket}/{n}"
        responses.append(await raw.put(later, b"x", Content_MD5=md5(b"x")))
        responses += [
            await raw.get(later),
            await raw.head(later),
            await raw.get(f"/{bucket}"),
            await raw.get(f"/{bucket}?versions"),
        ]
        responses += [await raw.post(f"{later}?uploads"), await raw.get(f"/{bucket}?{target.partition('?')[2].split('=')[0]}")]
        responses += [await raw.get("/bucket/there", Origin="http://o"), await raw.delete(later)]
        raw.emulator.clock.advance(days=1)
        raw.token = raw.emulator.iam.issue(raw.emulator.instance)
        responses += [await raw.get(f"/{bucket}"), await raw.head(target.partition("?")[0])]
        taken |= responses[0].status < 300
        broken = [response for response in responses if response.status >= 500 and response.status != 501]
        assert not broken, (value[:50], [responses.index(b) for b in broken])
    assert taken or kind in ("the parts of an upload", "a restore"), "no value at all was taken"


@pytest.mark.parametrize("value", [*NUMBERS, "[]", "{}", '"5"', "null", "true", "[" * 10_000, '{"expires_in":}'])
async def test_hostile_values_in_metadata_requests(session: aiohttp.ClientSession, value: str) -> None:
    async with Emulator(metadata_port=0) as emulator:
        headers = {"Metadata-Flavor": "ibm"}
        url = f"{emulator.metadata_endpoint}/instance_identity/v1"
        for body in (f'{{"expires_in": {value}}}', value):
            async with session.put(f"{url}/token?version=2022-03-01", data=body.encode(), headers=headers) as response:
                good = body.replace(" ", "") in ("", "{}", '{"expires_in":5}')
                assert response.status == (200 if good else 400)
        async with session.put(f"{url}/token?version=2022-03-01", data=b'{"expires_in": 3600}', headers=headers) as response:
            token = (await response.json())["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        for body in (value, f'{{"trusted_profile": {value}}}', f'{{"trusted_profile": {{"id": {value}, "x": 1}}}}'):
            async with session.post(f"{url}/iam_token?version=2022-03-01", data=body.encode(), headers=bearer) as response:
                assert response.status == 400
