"""Signatures compared with the published examples, and with IBM's SDK for random requests."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibm_botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from ibm_botocore.awsrequest import AWSRequest
from ibm_botocore.credentials import Credentials as SdkCredentials

from aiocos.auth import keys
from aiocos.auth.base import Anonymous, AuthSettings, BearerToken
from aiocos.auth.iam import ApiKey
from aiocos.auth.keys import DualCredentials, Hmac
from aiocos.auth.sigv4 import (
    SigningKey,
    canonical_headers,
    canonical_query,
    canonical_request,
    presign,
    signing_key,
    whole_seconds,
)
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.message import PreparedRequest, encode_query

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ORIGIN = "https://examplebucket.s3.amazonaws.com"
NOON = 1_369_353_600.0  # 2013-05-24T00:00:00Z


def settings(now: float = NOON, **more: object) -> AuthSettings:
    return AuthSettings(clock=lambda: now, **more)  # type: ignore[arg-type]


# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
PUBLISHED = {
    "GET object": (
        PreparedRequest("GET", ORIGIN, "/test.txt", "", {"Range": "bytes=0-9"}),
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "PUT object": (
        PreparedRequest(
            "PUT",
            ORIGIN,
            "/test%24file.text",
            "",
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.",
        ),
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "GET bucket lifecycle": (
        PreparedRequest("GET", ORIGIN, "/", "lifecycle", {}),
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "GET bucket (list objects)": (
        PreparedRequest("GET", ORIGIN, "/", "prefix=J&max-keys=2", {}),
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
async def test_published_examples(name: str) -> None:
    request, signed, signature = PUBLISHED[name]
    await Hmac(ID, SECRET).authorizer(settings()).authorize(request)
    assert request.headers["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={ID}/20130524/us-east-1/s3/aws4_request, SignedHeaders={signed}, Signature={signature}"
    )
    assert request.headers["x-amz-date"] == "20130524T000000Z"


def test_published_presigned_url() -> None:
    url = Hmac(ID, SECRET).presigner(settings()).presign(PreparedRequest("GET", ORIGIN, "/test.txt", "", {}), expires=86_400)
    assert url == (
        f"{ORIGIN}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential={ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def sdk_request(request: PreparedRequest) -> AWSRequest:
    made = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers), data=bytes(request.body or b""))
    made.context["timestamp"] = "20130524T000000Z"
    return made


def sdk_sign(auth: S3SigV4Auth, request: AWSRequest) -> AWSRequest:
    """Sign as `add_auth` does, but with the time of the test."""
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return request


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
names = st.sampled_from(
    [
        "content-md5",
        "Content-Type",
        "Retention-Period",
        "ibm-service-instance-id",
        "x-amz-meta-a",
        "X-Amz-Copy-Source",
        "If-Match",
    ]
)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
requests = st.builds(
    PreparedRequest,
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    origin=st.sampled_from(["https://s3.test", "http://127.0.0.1:9000", "https://b.s3.test:8443"]),
    path=st.lists(words, max_size=4).map(lambda parts: "/" + "/".join(quote(part, safe="-._~") for part in parts)),
    query=st.lists(st.tuples(words.filter(bool), words), max_size=5, unique_by=lambda pair: pair[0]).map(encode_query),
    headers=st.dictionaries(names, values, max_size=5),
    body=st.none() | st.binary(max_size=50) | st.binary(max_size=50).map(memoryview),
)


@given(requests, st.sampled_from(["us-east-1", "us-south", "eu"]), st.none() | st.just("session/token+="))
async def test_signature_equals_the_one_of_the_sdk(request: PreparedRequest, region: str, token: str | None) -> None:
    sdk = sdk_sign(S3SigV4Auth(SdkCredentials(ID, SECRET, token), "s3", region), sdk_request(request))
    request.headers["User-Agent"] = "not signed"
    await Hmac(ID, SECRET, token).authorizer(settings(region=region)).authorize(request)
    assert request.headers["Authorization"] == sdk.headers["Authorization"]
    assert request.headers["x-amz-content-sha256"] == sdk.headers["X-Amz-Content-SHA256"]


@given(requests, st.integers(1, 604_800), st.none() | st.just("session/token+="))
def test_presigned_url_equals_the_one_of_the_sdk(request: PreparedRequest, expires: int, token: str | None) -> None:
    request.body = None
    auth = S3SigV4QueryAuth(SdkCredentials(ID, SECRET, token), "s3", "us-east-1", expires=expires)
    sdk = urlsplit(sdk_sign(auth, sdk_request(request)).url)
    url = urlsplit(Hmac(ID, SECRET, token).presigner(settings()).presign(request, expires=expires))
    ours, theirs = (sorted(parse_qsl(parts.query, keep_blank_values=True)) for parts in (url, sdk))
    assert ours == theirs
    assert url[:3] == sdk[:3]


async def test_second_attempt_gets_a_new_signature() -> None:
    now = NOON
    authorizer = Hmac(ID, SECRET).authorizer(AuthSettings(clock=lambda: now))
    again, fresh = outgoing = [PreparedRequest("PUT", ORIGIN, "/k", "", {"X-Amz-Meta-A": "1"}, b"x") for _ in range(2)]
    again.headers |= {"X-Amz-Date": "old", "X-Amz-Security-Token": "of another identity", "authorization": "old"}
    again.headers["X-Amz-Content-SHA256"] = "old"
    await authorizer.authorize(again)
    now += 86_400
    for request in outgoing:
        await authorizer.authorize(request)
    assert again.headers == fresh.headers
    assert "20130525/us-east-1" in again.headers["Authorization"]
    assert not authorizer.rejected(again, 401)


async def test_changeable_headers_are_not_signed() -> None:
    loose = {"Content-Length": "1", "Transfer-Encoding": "chunked", "Expect": "100-continue", "Connection": "close"}
    with_loose = PreparedRequest("PUT", ORIGIN, "/k", "", {**loose, "x-amz-meta-a": "  a \t b  "}, b"x")
    without = PreparedRequest("PUT", ORIGIN, "/k", "", {"x-amz-meta-a": "a b"}, b"x")
    other = PreparedRequest("PUT", ORIGIN, "/k", "", {"x-amz-meta-a": "a\u00a0b"}, b"x")
    authorizer = Hmac(ID, SECRET).authorizer(settings())
    for request in (with_loose, without, other):
        await authorizer.authorize(request)
    assert with_loose.headers["Authorization"] == without.headers["Authorization"] != other.headers["Authorization"]


async def test_unsigned_payload_and_hashing_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authorizer = Hmac(ID, SECRET).authorizer(settings(sign_bodies=False))
    body = b"x" * (keys.HASH_IN_THREAD + 1)
    digest = hashlib.sha256(body).hexdigest()
    empty = hashlib.sha256(b"").hexdigest()
    for origin, content, expected in (
        ("https://s3.test", body, "UNSIGNED-PAYLOAD"),
        ("http://s3.test", body, digest),
        ("https://s3.test", None, empty),
    ):
        request = PreparedRequest("PUT", origin, "/k", "", {}, content)
        await authorizer.authorize(request)
        assert request.headers["x-amz-content-sha256"] == expected

    hops: list[int] = []

    async def to_thread(function: object, data: bytes) -> str:
        hops.append(len(data))
        return keys.payload_sha256(data)

    monkeypatch.setattr(keys.asyncio, "to_thread", to_thread)
    for size in (keys.HASH_IN_THREAD, keys.HASH_IN_THREAD + 1):
        request = PreparedRequest("PUT", "https://s3.test", "/k", "", {}, b"x" * size)
        await Hmac(ID, SECRET).authorizer(settings()).authorize(request)
        assert request.headers["x-amz-content-sha256"] == hashlib.sha256(b"x" * size).hexdigest()
    assert hops == [keys.HASH_IN_THREAD + 1]


def test_presigned_url_signs_headers_and_checks_expires() -> None:
    request = PreparedRequest("PUT", ORIGIN, "/k", "versionId=1", {"Retention-Period": "60", "X-Amz-Date": "no"})
    url = Hmac(ID, SECRET).presigner(settings()).presign(request, expires=604_800)
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["X-Amz-SignedHeaders"] == "host;retention-period"
    assert query["versionId"] == "1"
    assert request.headers == {"Retention-Period": "60", "X-Amz-Date": "no"}
    for expires in (0, 604_801):
        with pytest.raises(ConfigError, match="1 to 604800 seconds"):
            Hmac(ID, SECRET).presigner(settings()).presign(request, expires=expires)


def test_canonical_query() -> None:
    assert canonical_query("a-b=1&a=2&a=1&acl") == "a=1&a=2&a-b=1&acl="


def test_only_hmac_keys_sign_urls() -> None:
    for credentials in (ApiKey("k"), BearerToken("t"), Anonymous()):
        with pytest.raises(CredentialsError, match=r"HMAC keys.*access_key_id and secret_access_key"):
            credentials.presigner(settings())
    both = DualCredentials(BearerToken("t", "instance"), Hmac(ID, SECRET))
    assert both.presigner(settings()).presign(PreparedRequest("GET", ORIGIN, "/k", "", {}), expires=60)
    assert both.service_instance_id == "instance"


async def test_dual_credentials_authorize_with_the_first() -> None:
    request = PreparedRequest("GET", ORIGIN, "/k", "", {})
    await DualCredentials(BearerToken("t"), Hmac(ID, SECRET)).authorizer(settings()).authorize(request)
    assert request.headers == {"Authorization": "Bearer t"}


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", ""), (" ", "s"), ("k", "\n")])
def test_incomplete_keys_are_refused(key: str, secret: str) -> None:
    with pytest.raises(ConfigError):
        Hmac(key, secret)


def test_repr_of_a_signing_key_hides_secrets() -> None:
    derived = signing_key(SECRET, "20260101", "us-east-1")
    key = SigningKey(ID, "20260101", "us-east-1", derived, "session/token+=")
    for text in (repr(key), str(key), f"{[key]}"):
        assert ID in text
        assert "session" not in text
        assert repr(derived) not in text


def test_canonical_request() -> None:
    assert canonical_query("") == ""
    assert canonical_query("b=2=3&a&b=1") == "a=&b=1&b=2=3"
    headers = {"X-B": " a \t b ", "A": "\u00a0x", "Authorization": "no", "X-Amzn-Trace-Id": "no", "User-Agent": "no"}
    assert canonical_headers(headers, "h:81") == {"a": "\u00a0x", "host": "h:81", "x-b": "a b"}
    request = PreparedRequest("GET", ORIGIN, "", "acl", {})
    assert (
        canonical_request(request, {"host": "h", "x-b": "1"}, "payload") == "GET\n/\nacl=\nhost:h\nx-b:1\n\nhost;x-b\npayload"
    )


@pytest.mark.parametrize(
    "name", ["Connection", "Content-Length", "Expect", "Transfer-Encoding", "User-Agent", "X-Amzn-Trace-Id"]
)
def test_unsigned_headers(name: str) -> None:
    assert canonical_headers({name: "x"}, "h") == {"host": "h"}


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Security-Token"])
def test_presigned_url_ignores_headers_of_a_signature(name: str) -> None:
    key = SigningKey(ID, "20130524", "us-east-1", signing_key(SECRET, "20130524", "us-east-1"))
    bare, other = (
        presign(PreparedRequest("GET", ORIGIN, "/k", "", headers), key, "20130524T000000Z", expires=60)
        for headers in ({}, {name: "x"})
    )
    assert other == bare


def test_presign_without_strict() -> None:
    key = SigningKey(ID, "20130524", "us-east-1", signing_key(SECRET, "20130524", "us-east-1"), "session")
    request = PreparedRequest("GET", ORIGIN, "/k", "", {})
    url = presign(request, key, "20130524T000000Z", expires=604_801, strict=False)
    assert "&X-Amz-Expires=604801&X-Amz-Security-Token=session&" in url
    with pytest.raises(ConfigError, match="1 to 604800 seconds"):
        presign(request, key, "20130524T000000Z", expires=604_801)


def test_whole_seconds() -> None:
    assert [whole_seconds(given) for given in (1, 604_800, timedelta(seconds=1), timedelta(days=7))] == [1, 604_800, 1, 604_800]
    for wrong in (0, 604_801, timedelta(seconds=1, microseconds=1), timedelta(0), True):
        with pytest.raises(ConfigError):
            whole_seconds(wrong)
