"""`hold`, `retention`, `website` and `presign`."""

import re
import urllib.request
import uuid

import pytest
from tests.cli.shell import Shell


@pytest.fixture
def protected_bucket(shell: Shell) -> str:
    """The name of a bucket with a retention policy and one object."""
    name = f"cli-{uuid.uuid4().hex[:12]}"
    assert shell("mb", f"cos://{name}").code == 0
    outcome = shell("retention", f"cos://{name}", "--minimum", "1", "--default", "30", "--maximum", "365")
    assert outcome.code == 0
    assert re.search(r"default +30 days", outcome.out)
    assert shell("cp", "-", f"cos://{name}/report", stdin="text").code == 0
    return name


def test_retention_of_buckets_and_objects(shell: Shell, protected_bucket: str, bucket: str):
    assert "Disabled" in shell("retention", f"cos://{bucket}").out
    (policy,) = shell("retention", f"cos://{protected_bucket}", "--json").json()
    assert policy["maximum_retention"] == {"days": 365}
    path = f"cos://{protected_bucket}/report"
    assert re.search(r"period +30 days, 0:00:00", shell("retention", path).out)
    assert re.search(r"period +40 days, 0:00:00", shell("retention", path, "--extend", "10d").out)
    refused = shell("retention", path, "--until", "2001-01-01")
    assert refused.code == 1
    assert "InvalidArgument" in refused.err
    assert shell("rm", path).code == 1
    for wrong in (
        ("retention", path, "--minimum", "1"),
        ("retention", f"cos://{protected_bucket}", "--extend", "1d"),
        ("retention", f"cos://{protected_bucket}", "--minimum", "1"),
        ("retention", path, "--extend", "a while"),
        ("retention", path, "--until", "soon"),
    ):
        assert shell(*wrong).code == 2, wrong


def test_legal_holds(shell: Shell, protected_bucket: str):
    path = f"cos://{protected_bucket}/report"
    for name in ("case-1", "audit"):
        assert shell("hold", "add", path, name).code == 0
    assert [line.split()[-1] for line in shell("hold", "ls", path).lines] == ["case-1", "audit"]
    again = shell("hold", "add", path, "audit")
    assert (again.code, "409 LegalHoldExists" in again.err) == (1, True)
    assert shell("hold", "rm", path, "audit").code == 0
    assert [one["id"] for one in shell("hold", "ls", path, "--json").json()] == ["case-1"]
    assert "legal holds               case-1" in shell("retention", path).out
    assert shell("hold", "add", f"cos://{protected_bucket}", "x").code == 2


def test_website_configuration(shell: Shell, bucket: str):
    assert shell("website", f"cos://{bucket}").code == 1
    outcome = shell("website", f"cos://{bucket}", "--index", "index.html", "--error", "error.html")
    assert outcome.code == 0
    assert re.search(r"error page +error\.html", outcome.out)
    (found,) = shell("website", f"cos://{bucket}", "--json").json()
    assert found["index_document"] == {"suffix": "index.html"}
    assert shell("website", f"cos://{bucket}", "--delete").code == 0
    assert shell("website", f"cos://{bucket}").code == 1
    assert shell("website", f"cos://{bucket}", "--error", "x").code == 2


def test_presigned_urls(shell: Shell, emulator_details: dict[str, str], bucket: str):
    assert shell("cp", "-", f"cos://{bucket}/key", stdin="text").code == 0
    by_token = shell("presign", f"cos://{bucket}/key")
    assert by_token.code == 1
    assert "HMAC keys" in by_token.err
    signing = (
        "--access-key-id",
        emulator_details["access_key_id"],
        "--secret-access-key",
        emulator_details["secret_access_key"],
    )
    (url,) = shell(*signing, "presign", f"cos://{bucket}/key", "--expires", "15m").lines
    assert "X-Amz-Expires=900" in url
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
        assert answer.read() == b"text"
    assert shell(*signing, "presign", f"cos://{bucket}/key", "--method", "PATCH").code == 2
    for expires in ("8d", "604801", "0", "1y", "9" * 30 + "d"):
        refused = shell(*signing, "presign", f"cos://{bucket}/key", "--expires", expires)
        assert (refused.code, refused.lines) == (2, [])
        assert "7 days" in refused.err or "too long" in refused.err
    assert shell(*signing, "presign", f"cos://{bucket}/key", "--expires", "7d").code == 0
    assert "at most 7d" in " ".join(shell("presign", "--help").out.replace("│", " ").split())
