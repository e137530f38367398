"""Holds, retention, websites, presigned URLs, and every operation by its name."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.cli.conftest import Shell

import aiocos
import aiocos.operations
from aiocos.cli.api import kebab
from aiocos.wire.spec import registry


@pytest.fixture
def kept(shell: Shell) -> str:
    """A bucket with a policy and an object in it."""
    name = f"cli-{uuid.uuid4().hex[:12]}"
    assert shell("mb", f"cos://{name}").code == 0
    outcome = shell("retention", f"cos://{name}", "--minimum", "1", "--default", "30", "--maximum", "365")
    assert outcome.code == 0
    assert re.search(r"default +30 days", outcome.out)
    assert shell("cp", "-", f"cos://{name}/report", stdin="text").code == 0
    return name


def test_retention_of_buckets_and_objects(shell: Shell, kept: str, bucket: str):
    assert "Disabled" in shell("retention", f"cos://{bucket}").out
    (policy,) = shell("retention", f"cos://{kept}", "--json").json()
    assert policy["maximum_retention"] == {"days": 365}
    path = f"cos://{kept}/report"
    assert re.search(r"period +30 days, 0:00:00", shell("retention", path).out)
    assert re.search(r"period +40 days, 0:00:00", shell("retention", path, "--extend", "10d").out)
    refused = shell("retention", path, "--until", "2001-01-01")
    assert refused.code == 1
    assert "InvalidArgument" in refused.err
    assert shell("rm", path).code == 1
    for wrong in (
        ("retention", path, "--minimum", "1"),
        ("retention", f"cos://{kept}", "--extend", "1d"),
        ("retention", f"cos://{kept}", "--minimum", "1"),
        ("retention", path, "--extend", "a while"),
        ("retention", path, "--until", "soon"),
    ):
        assert shell(*wrong).code == 2, wrong


def test_holds(shell: Shell, kept: str):
    path = f"cos://{kept}/report"
    for name in ("case-1", "audit"):
        assert shell("hold", "add", path, name).code == 0
    assert [line.split()[-1] for line in shell("hold", "ls", path).lines] == ["case-1", "audit"]
    again = shell("hold", "add", path, "audit")
    assert (again.code, "409 LegalHoldExists" in again.err) == (1, True)
    assert shell("hold", "rm", path, "audit").code == 0
    assert [one["id"] for one in shell("hold", "ls", path, "--json").json()] == ["case-1"]
    assert "legal holds               case-1" in shell("retention", path).out
    assert shell("hold", "add", f"cos://{kept}", "x").code == 2


def test_websites(shell: Shell, bucket: str):
    assert shell("website", f"cos://{bucket}").code == 1
    outcome = shell("website", f"cos://{bucket}", "--index", "index.html", "--error", "error.html")
    assert outcome.code == 0
    assert re.search(r"error page +error\.html", outcome.out)
    (found,) = shell("website", f"cos://{bucket}", "--json").json()
    assert found["index_document"] == {"suffix": "index.html"}
    assert shell("website", f"cos://{bucket}", "--delete").code == 0
    assert shell("website", f"cos://{bucket}").code == 1
    assert shell("website", f"cos://{bucket}", "--error", "x").code == 2


def test_a_website_is_served_where_the_emulator_says(shell: Shell, served: dict[str, str], bucket: str):
    assert shell("website", f"cos://{bucket}", "--index", "index.html").code == 0
    assert shell("cp", "-", f"cos://{bucket}/index.html", stdin="the front page").code == 0
    assert shell("api", "put-bucket-acl", "--bucket", bucket, "--acl", "public-read").code == 0
    assert re.fullmatch(r"http://\{bucket\}\.s3-web\.localhost:\d+/", served["website_endpoint"])
    host = urlsplit(served["website_endpoint"].replace("{bucket}", bucket))
    asked = urllib.request.Request(f"http://127.0.0.1:{host.port}/", headers={"Host": host.netloc})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.read() == b"the front page"


def test_the_port_of_websites_can_be_said():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["emulator", "--port", "0", "--website-port", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "aiocos", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()
    assert lines[0].startswith("COS is served at http://127.0.0.1:")
    assert lines[1] == f"Websites are served at http://<bucket>.s3-web.localhost:{port}/\n"


async def _complete_over(served: dict[str, str]) -> bytes:
    client = aiocos.Client(
        endpoint=served["endpoint"],
        access_key_id=served["access_key_id"],
        secret_access_key=served["secret_access_key"],
    )
    async with client as cos:
        await cos.buckets.create("other")
        upload = await cos.multipart.create("other", "key")
        part = await cos.multipart.upload_part("other", "key", upload.upload_id, 1, b"new")
        await cos.objects.put("other", "key", b"old")
        parts = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
        await cos.multipart.complete("other", "key", upload.upload_id, parts, if_none_match="*", forbid_overwrite=True)
        return await cos.objects.read("other", "key")


def test_the_emulator_ignores_what_it_is_told_to_ignore():
    arguments = ["emulator", "--port", "0", "--json", "--ignore-conditional-completion", "--ignore-forbid-overwrite"]
    process = subprocess.Popen([sys.executable, "-m", "aiocos", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert asyncio.run(_complete_over(json.loads(process.stdout.readline()))) == b"new"
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_presigned_urls(shell: Shell, served: dict[str, str], bucket: str):
    assert shell("cp", "-", f"cos://{bucket}/key", stdin="text").code == 0
    by_token = shell("presign", f"cos://{bucket}/key")
    assert by_token.code == 1
    assert "HMAC keys" in by_token.err
    signing = ("--access-key-id", served["access_key_id"], "--secret-access-key", served["secret_access_key"])
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


def test_every_operation_has_a_name_and_a_help(shell: Shell):
    names = [line.split()[0] for line in shell("api").lines]
    ours = [cls for cls in registry.values() if cls.__module__.startswith("aiocos.operations.")]
    assert sorted(names) == sorted(kebab(cls.__name__) for cls in ours)
    for cls in ours:
        outcome = shell("api", kebab(cls.__name__), "--help")
        assert outcome.code == 0
        for p in cls.spec.parameters:
            assert f"--{kebab(p.name)}" in outcome.out, (cls.__name__, p.name)


def test_operations_by_name(shell: Shell, bucket: str, tmp_path: Path):
    site = {
        "IndexDocument": {"Suffix": "index.html"},
        "RoutingRules": [{"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}}],
    }
    (tmp_path / "site.json").write_text(json.dumps(site))
    at = ("--bucket", bucket)
    assert shell("api", "put-bucket-website", *at, "--website-configuration", f"@{tmp_path / 'site.json'}").code == 0
    (found,) = shell("api", "get-bucket-website", *at).json()
    assert found["routing_rules"] == [{"condition": {"key_prefix_equals": "a/"}, "redirect": {"replace_key_prefix_with": "b/"}}]
    # With the client's own names, and by the parameter's own name.
    assert shell("api", "put-bucket-website", *at, "--configuration", '{"index_document": {"suffix": "i"}}').code == 0
    rules = '[{"Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}]'
    assert shell("api", "put-bucket-lifecycle-configuration", *at, "--rules", rules).code == 0
    whole = f'{{"Rules": {rules}}}'
    assert shell("api", "put-bucket-lifecycle-configuration", *at, "--lifecycle-configuration", whole).code == 0
    (found,) = shell("api", "get-bucket-lifecycle-configuration", *at).json()
    assert found["rules"][0]["expiration"] == {"days": 3}  # type: ignore[index]
    assert (
        shell("api", "put-object", *at, "--key", "a b", "--data", "text", "--metadata", "who=me,n=1", "--tagging=a=1").code == 0
    )
    (head,) = shell("api", "head-object", *at, "--key", "a b").json()
    assert (head["metadata"], head["content_length"], head["tag_count"]) == ({"who": "me", "n": "1"}, 4, 1)
    assert shell("api", "put-object-tagging", *at, "--key", "a b", "--tags", '{"k": "v"}').code == 0
    (tags,) = shell("api", "get-object-tagging", *at, "--key", "a b").json()
    assert tags["tags"] == [{"key": "k", "value": "v"}]
    assert shell("api", "copy-object", *at, "--key", "copy", "--source", f"{bucket}/a%20b").code == 0
    assert shell("api", "get-object", *at, "--key", "copy", "--range", "bytes=1-2").out == "ex"
    written = shell("api", "get-object", *at, "--key", "copy", "-o", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "text"
    assert written.json()[0]["content_length"] == 4
    missing = shell("api", "head-object", *at, "--key", "none")
    assert missing.code == 1
    gone = shell("api", "delete-objects", *at, "--delete", '{"Objects": [{"Key": "copy"}], "Quiet": false}')
    assert gone.json()[0]["deleted"] == [{"key": "copy"}]


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-operation",),
        ("head-object", "--bucket", "b"),
        ("head-object", "--bucket", "b", "--key", "k", "--nonsense", "x"),
        ("head-object", "--bucket", "b", "--key"),
        ("head-object", "stray"),
        ("list-objects", "--bucket", "b", "--max-keys", "many"),
        ("put-bucket-website", "--bucket", "b", "--configuration", "{"),
        ("put-bucket-website", "--bucket", "b", "--configuration", '{"Nonsense": 1}'),
        ("put-object", "--bucket", "b", "--key", "k", "--metadata", "who"),
    ],
)
def test_what_cannot_be_is_a_usage_error(shell: Shell, arguments: tuple[str, ...]):
    assert shell("api", *arguments).code == 2
