"""`aiocos api`: every operation by its name, and the help of each."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell, put_objects

import aiocos
from aiocos.cli.api import kebab
from aiocos.object_stream import ObjectStream
from aiocos.operations import every_operation


def test_a_failed_get_object_leaves_the_existing_file(
    shell: Shell, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put_objects(shell, bucket, "key")
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o600)
    command = ("api", "get-object", "--bucket", bucket, "--key", "key", "--output", str(file))

    async def breaks(stream: ObjectStream) -> AsyncIterator[bytes]:
        yield b"half"
        raise aiocos.ProtocolError("it broke")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStream, "__aiter__", breaks)
        assert shell(*command).code == 1
    assert (file.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])
    assert shell(*command).code == 0
    assert (file.read_bytes(), file.stat().st_mode & 0o777, os.listdir(tmp_path)) == (b"key", 0o600, ["file"])


def test_every_operation_has_a_name_and_a_help_text(shell: Shell):
    names = [line.split()[0] for line in shell("api").lines]
    ours = list(every_operation().values())
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
    # The client's field names and the name of the parameter work too.
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
    assert shell("api", "get-object", *at, "--key", "copy", "--verify-reads", "false", "--timeout", "60").code == 0
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
def test_wrong_options_are_usage_errors(shell: Shell, arguments: tuple[str, ...]):
    assert shell("api", *arguments).code == 2
