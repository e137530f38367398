"""Arguments such as `cos://bucket/key`, and the names of copies."""

from pathlib import Path

import pytest
import typer

from aiocos.cli.paths import CosPath, file_for, key_for, parse_location


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("cos://b", "b", ""),
        ("cos://b/", "b", ""),
        ("cos://b/k", "b", "k"),
        ("cos://b/d/", "b", "d/"),
        ("cos://b//k", "b", "/k"),
        ("cos://b/%2F?x#y", "b", "%2F?x#y"),
    ],
)
def test_the_key_is_the_text_after_the_bucket(text: str, bucket: str, key: str):
    path = CosPath.parse(text)
    assert (path.bucket, path.key) == (bucket, key)


@pytest.mark.parametrize("text", ["b/k", "s3://b/k", "cos://", "cos:///k", "cos://b/\udcff"])
def test_other_texts_are_usage_errors(text: str):
    with pytest.raises(typer.BadParameter):
        CosPath.parse(text)


def test_locations_are_cos_paths_local_paths_or_standard_streams():
    assert parse_location("-") is None
    assert parse_location("a/b") == Path("a/b")
    assert parse_location("cos://b/k") == CosPath("b", "k")


@pytest.mark.parametrize(("target", "key"), [("cos://b", "name"), ("cos://b/d/", "d/name"), ("cos://b/d", "d")])
def test_a_bucket_or_folder_as_target_keeps_the_name(target: str, key: str):
    assert key_for(CosPath.parse(target), "name") == key


def test_a_directory_as_target_keeps_the_name(tmp_path: Path):
    source = CosPath.parse("cos://b/d/name")
    assert file_for(tmp_path, str(tmp_path), source) == tmp_path / "name"
    assert file_for(tmp_path / "new", f"{tmp_path}/new/", source) == tmp_path / "new" / "name"
    assert file_for(tmp_path / "new", f"{tmp_path}/new", source) == tmp_path / "new"


@pytest.mark.parametrize("key", ["d/", "d/.", "d/..", "nul\0"])
def test_a_key_without_a_file_name_is_a_usage_error(tmp_path: Path, key: str):
    with pytest.raises(typer.BadParameter, match="no file name"):
        file_for(tmp_path, str(tmp_path), CosPath("b", key))


def test_paths_below_others():
    below = CosPath.parse("cos://b/d/e")
    assert below.is_below(CosPath.parse("cos://b/d"))
    assert below.is_below(below)
    assert not below.is_below(CosPath.parse("cos://b/d/ee"))
    assert not below.is_below(CosPath.parse("cos://other"))
