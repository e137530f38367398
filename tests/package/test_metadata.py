"""What the package says about itself: addresses, supported versions of Python, README and changelog."""

from __future__ import annotations

import re

import pytest

from .project import PROJECT, PYPROJECT, ROOT

SOURCE_ADDRESS = PROJECT["urls"]["Source"]
README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "docs" / "changelog.md").read_text()
MINORS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))


@pytest.mark.parametrize("label", ["Homepage", "Documentation", "Source", "Changelog", "Issues"])
def test_the_package_index_gets_an_address(label: str):
    assert PROJECT["urls"][label].startswith("https://")


def file_at(address: str) -> str | None:
    """Return the path in this repository of an address on its web site, or None if it is the address of something else."""
    match = re.fullmatch(re.escape(SOURCE_ADDRESS) + r"/(?:blob|tree|raw)/main/([^#]*)(?:#.*)?", address)
    return match[1] if match else None


@pytest.mark.parametrize("address", [url for url in PROJECT["urls"].values() if file_at(url)])
def test_an_address_in_the_repository_is_that_of_a_file(address: str):
    assert (ROOT / str(file_at(address))).is_file()


def test_links_of_the_readme_also_work_on_the_package_index():
    """There the README has no files beside it: every link and picture is an address, or a heading of the README itself."""
    targets = re.findall(r"\]\(([^)\s]+)", README) + re.findall(r"^\[[^\]]+\]:\s*(\S+)", README, re.MULTILINE)
    targets += re.findall(r"(?:src|href)=\"([^\"]+)\"", README)
    assert targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    missing = [path for target in targets if (path := file_at(target)) and not (ROOT / path).exists()]
    assert missing == []


def test_supported_versions_of_python_are_said_once():
    lowest, highest = MINORS[0], MINORS[-1]
    assert PROJECT["requires-python"] == f">={lowest}"
    assert PYPROJECT["tool"]["pyright"]["pythonVersion"] == lowest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + lowest.replace(".", "")
    assert f"lowest={lowest} highest={highest}" in (ROOT / ".ci" / "common.sh").read_text()
    assert f"Python {lowest} to {highest}" in README


def test_the_changelog_has_the_form_of_keep_a_changelog():
    releases = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    for release in releases[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release), release
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    for release in releases:
        assert re.search(rf"^{re.escape(release.partition(' - ')[0])}: https://", CHANGELOG, re.MULTILINE), release
