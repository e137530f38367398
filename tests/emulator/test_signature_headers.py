"""Headers, times and hashes that a signature must cover: requests that no signing library would produce."""

import hashlib
import hmac
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from aiocos.emulator.signature import HeadersNotSigned, VerifiedSignature, payload_hash
from aiocos.errors import InvalidRequest, InvalidSignature

from .conftest import Raw, RawResponse
from .test_signature import EMPTY, KEY, SECRET, URL, verify_example


def sign(key: str, secret: str, stamp: str, canonical: str) -> tuple[str, str]:
    """Return the credential and the signature of a canonical request."""
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    derived = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        derived = hmac.digest(derived, step.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return f"{key}/{scope}", hmac.new(derived, text.encode(), "sha256").hexdigest()


def verify_header_signature(
    headers: dict[str, str], names: str, payload: str = EMPTY, stamp: str = "20130524T000000Z"
) -> VerifiedSignature | None:
    """Verify a PUT whose signature covers the headers `names`."""
    lines = "".join(f"{name}:{CIMultiDict(headers).get(name, '')}\n" for name in names.split(";"))
    credential, signature = sign(KEY, SECRET, stamp, f"PUT\n/b/k\n\n{lines}\n{names}\n{payload}")
    value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return verify_example("PUT", "/b/k", "", headers | {"Authorization": value})


def verify_query_signature(
    headers: dict[str, str], names: str = "host", more: str = "", **changed: str
) -> VerifiedSignature | None:
    """Verify a GET whose query is signed with the headers `names`; `changed` are other values, `Expires="1"`."""
    stamp = changed.get("Date", "20130524T000000Z")
    values = {
        "Algorithm": "AWS4-HMAC-SHA256",
        "Credential": f"{KEY}/{stamp[:8]}/us-east-1/s3/aws4_request",
        "Date": stamp,
        "Expires": "60",
        "SignedHeaders": names,
    } | changed
    query = "&".join(
        sorted(f"X-Amz-{n}={quote(v, safe='-._~')}" for n, v in values.items() if v != "-") + ([more] if more else [])
    )
    lines = "".join(f"{name}:{CIMultiDict(headers).get(name, '')}\n" for name in names.split(";"))
    payload = CIMultiDict(headers).get("x-amz-content-sha256", changed.get("Content-Sha256", "UNSIGNED-PAYLOAD"))
    _, signature = sign(KEY, SECRET, "20130524T000000Z", f"GET\n/b/k\n{query}\n{lines}\n{names}\n{payload}")
    return verify_example("GET", "/b/k", f"{query}&X-Amz-Signature={signature}", headers)


DATED = {"Host": "h", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY}
NAMES = "host;x-amz-content-sha256;x-amz-date"


def test_the_signer_of_these_tests_is_correct() -> None:
    assert verify_header_signature(DATED, NAMES) is not None
    assert verify_query_signature({"Host": "h"}) is not None


# S3 requires signatures of Host, Content-MD5, all x-amz-* headers, and If-Range if Range is signed. Others can be unsigned.
MUST = {
    "x-amz-acl": "public-read",
    "X-Amz-Copy-Source": "/private/key",
    "x-amz-meta-a": "b",
    "x-amz-": "",
    "x-amz-security-token": "t",
    "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
}
MAY = {"Content-Type": "a/b", "Range": "bytes=0-1", "If-Range": '"e"', "x-amzn-trace-id": "1", "Retention-Period": "1"}


@pytest.mark.parametrize("name", [*MUST, *MAY])
@pytest.mark.parametrize("presigned", [True, False])
def test_an_unsigned_header_that_must_be_signed_is_refused(name: str, presigned: bool) -> None:
    def verified(names: str) -> VerifiedSignature | None:
        headers = {name: (MUST | MAY)[name]}
        if presigned:
            return verify_query_signature({"Host": "h"} | headers, names)
        return verify_header_signature(DATED | headers, names)

    plain = "host" if presigned else NAMES
    assert verified(";".join(sorted({name.lower(), *plain.split(";")}))) is not None
    if name in MAY:
        assert verified(plain) is not None
        return
    with pytest.raises(HeadersNotSigned, match="There were headers present in the request which were not signed") as refused:
        verified(plain)
    assert (refused.value.status, refused.value.code, refused.value.names) == (403, "AccessDenied", [name.lower()])


@pytest.mark.parametrize("name", NAMES.split(";"))
def test_headers_used_by_the_signature_must_be_signed(name: str) -> None:
    """Host, the date, and the hash of the body."""
    names = ";".join(other for other in NAMES.split(";") if other != name)
    with pytest.raises(HeadersNotSigned) as refused:
        verify_header_signature(DATED, names)
    assert refused.value.names == [name]


def test_the_host_of_a_presigned_url_must_be_signed() -> None:
    for names in ("range", "", "Host"):
        with pytest.raises(HeadersNotSigned) as refused:
            verify_query_signature({"Host": "h", "Range": "bytes=0-1"}, names)
        assert refused.value.names == ["host"]


def test_a_signed_range_needs_a_signed_if_range() -> None:
    headers = {"Host": "h", "Range": "bytes=0-1", "If-Range": '"e"'}
    assert verify_query_signature(headers, "host;if-range;range") is not None
    with pytest.raises(HeadersNotSigned) as refused:
        verify_query_signature(headers, "host;range")
    assert refused.value.names == ["if-range"]


def test_a_payload_hash_in_an_unsigned_header_of_a_url() -> None:
    """S3 accepts it. The hash is part of the signed text, so another hash does not match."""
    hashed = {"Host": "h", "x-amz-content-sha256": EMPTY}
    assert verify_query_signature(hashed) is not None
    for payload in ("UNSIGNED-PAYLOAD", EMPTY):
        signed = verify_query_signature({"Host": "h"}, **{"Content-Sha256": payload})
        assert signed is not None
        assert signed.payload == payload
    with pytest.raises(InvalidSignature):
        verify_example("GET", "/test.txt", URL, {"Host": "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": EMPTY})


@pytest.mark.parametrize(
    ("expires", "message"),
    [
        ("604801", "less than a week"),
        ("1000000000000000000", "less than a week"),
        ("9" * 5000, "less than a week"),
        ("0", "positive"),
        ("000", "positive"),
        ("-1", "positive"),
        ("-" + "9" * 30, "positive"),
        ("1.5", "number"),
        ("1e3", "number"),
        ("True", "number"),
        ("", "number"),
        ("+5", "number"),
        (" 5", "number"),
        ("5 ", "number"),
        ("1_0", "number"),
        ("0x5", "number"),
        ("inf", "number"),
        ("nan", "number"),
        ("\u0665", "number"),
        ("\u00b2", "number"),
    ],
)
def test_an_invalid_expiry_of_a_url_is_refused(expires: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"X-Amz-Expires .*{message}") as refused:
        verify_query_signature({"Host": "h"}, Expires=expires)
    assert (refused.value.status, refused.value.code) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize("expires", ["1", "604800", "0604800"])
def test_a_valid_expiry_of_a_url_is_accepted(expires: str) -> None:
    assert verify_query_signature({"Host": "h"}, Expires=expires) is not None


@given(st.text(max_size=12) | st.integers().map(str) | st.floats().map(str))
def test_only_digits_are_accepted_as_expiry(expires: str) -> None:
    good = expires.isascii() and expires.isdigit() and 1 <= int(expires) <= 604800
    if good or expires == "-":
        return
    with pytest.raises(InvalidRequest, match="X-Amz-Expires"):
        verify_query_signature({"Host": "h"}, Expires=expires)


MALFORMED_DATES = [
    *("", "-", "x", "2013", "20130524T000000", "20130524T000000z", "2013052T0000000Z", "20131324T000000Z"),
    *("00000524T000000Z", "20130524T250000Z", " 20130524T000000Z", "\u06620130524T000000Z", "20130524T00000Z"),
]


@pytest.mark.parametrize("date", MALFORMED_DATES)
def test_a_malformed_date_is_refused(date: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        verify_query_signature({"Host": "h"}, Date=date)
    assert (refused.value.status, refused.value.code) == (400, "AuthorizationQueryParametersError")
    headers = {"Host": "h", "x-amz-content-sha256": EMPTY} | ({} if date == "-" else {"x-amz-date": date})
    with pytest.raises(InvalidSignature, match="not dated") as denied:
        verify_header_signature(headers, ";".join(sorted(name.lower() for name in headers)))
    assert (denied.value.status, denied.value.code) == (403, "AccessDenied")


def test_a_url_signed_for_the_future_is_refused() -> None:
    with pytest.raises(InvalidSignature) as refused:
        verify_query_signature({"Host": "h"}, Date="20130524T001501Z")
    assert refused.value.code == "RequestTimeTooSkewed"
    with pytest.raises(InvalidSignature) as refused:  # the date is valid, but not the signed one
        verify_query_signature({"Host": "h"}, Date="20130524T001459Z")
    assert refused.value.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["Credential", "Date", "Expires", "SignedHeaders", "Algorithm"])
def test_a_url_without_a_required_parameter_is_refused(name: str) -> None:
    for more, value in (("", "-"), (f"X-Amz-{name}=x", "")):
        changed = {name: value} if value else {}
        with pytest.raises(InvalidRequest) as refused:
            verify_query_signature({"Host": "h"}, more=more, **changed)
        assert refused.value.code == "AuthorizationQueryParametersError"


@pytest.mark.parametrize("scope", ["", "x", "20130524/us/s3", "20130525/us/s3/aws4_request", "20130524/us/iam/aws4_request"])
def test_a_malformed_credential_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        verify_query_signature({"Host": "h"}, Credential=f"{KEY}/{scope}")
    assert refused.value.code == "AuthorizationQueryParametersError"
    value = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={NAMES}, Signature=0"
    with pytest.raises(InvalidSignature) as malformed:
        verify_example("GET", "/b/k", "", DATED | {"Authorization": value})
    assert (malformed.value.status, malformed.value.code) == (400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize(
    "payload", ["", "x", EMPTY[:-1], EMPTY + "0", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-X"]
)
def test_an_invalid_payload_hash_is_refused(payload: str) -> None:
    with pytest.raises(InvalidRequest, match="x-amz-content-sha256 must be"):
        verify_header_signature(DATED | {"x-amz-content-sha256": payload}, NAMES, payload)
    upper = {"x-amz-content-sha256": EMPTY.upper()}
    signed = verify_header_signature(DATED | upper, NAMES, EMPTY.upper())
    assert signed is not None
    assert payload_hash(signed, upper) == EMPTY, "a hash in upper case is one, and the body is held against it"


def test_a_signature_that_is_not_ascii_is_refused() -> None:
    value = f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us/s3/aws4_request, SignedHeaders={NAMES}, Signature=\xe9\udcff"
    with pytest.raises(InvalidSignature) as refused:
        verify_example("GET", "/b/k", "", DATED | {"Authorization": value})
    assert refused.value.code == "SignatureDoesNotMatch"


async def test_a_signed_request_without_a_payload_hash(raw: Raw) -> None:
    """curl before 8 signs a hash that it does not send. Without a body, the hash can only be that of no bytes."""
    stamp = raw.emulator.clock.now().strftime("%Y%m%dT%H%M%SZ")
    host = raw.emulator.endpoint.removeprefix("http://")

    async def send(method: str, target: str, body: bytes) -> RawResponse:
        path, _, query = target.partition("?")
        hashed = hashlib.sha256(body).hexdigest()
        text = f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{hashed}"
        credential, signature = sign(raw.emulator.access_key_id, raw.emulator.secret_access_key, stamp, text)
        value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={signature}"
        return await raw.send(method, target, body, {"Authorization": value, "x-amz-date": stamp})

    for body in (b"hello", b"x" * 100_000):
        refused = await send("PUT", "/bucket/key", body)
        assert (refused.status, refused.code) == (400, "InvalidRequest")
        assert refused.texts("Message") == ["Missing required header for this request: x-amz-content-sha256"]
    assert (await send("PUT", "/bucket/key", b"")).status == 200
    assert (await send("GET", "/bucket/key", b"")).status == 200
