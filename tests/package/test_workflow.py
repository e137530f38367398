"""The workflow on GitHub, `.ci/run` and the contributing page run the same scripts."""

from __future__ import annotations

import os
import re

import pytest

from .project import EXTRAS, ROOT
from .test_metadata import MINORS

WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
SCRIPTS = sorted(path.name for path in (ROOT / ".ci").iterdir() if not path.suffix and path.name != "run")
RUN = (ROOT / ".ci" / "run").read_text()


def called(text: str, script: str) -> bool:
    return re.search(rf"^\s*(?:- run: )?\.ci/{script}\b", text, re.MULTILINE) is not None


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_called_by_the_workflow_and_by_the_run_of_all(script: str):
    assert os.access(ROOT / ".ci" / script, os.X_OK)
    assert called(WORKFLOW, script)
    assert called(RUN, script)


def test_the_workflow_runs_nothing_but_the_scripts():
    commands = re.findall(r"^\s*- run: (.*)$", WORKFLOW, re.MULTILINE)
    assert commands
    assert [command for command in commands if not re.match(rf"\.ci/({'|'.join(SCRIPTS)})\b", command)] == []


def test_the_workflow_tests_every_supported_python():
    (versions,) = re.findall(r"^\s*python: \[(.*)\]$", WORKFLOW, re.MULTILINE)
    tested = re.findall(r"3\.\d+", versions)
    (may_fail,) = re.findall(r"continue-on-error: \$\{\{ matrix\.python == '(3\.\d+)' \}\}", WORKFLOW)
    assert [version for version in tested if version != may_fail] == MINORS


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_is_used_alone(extra: str):
    assert re.search(rf"^\s+{extra}\)", (ROOT / ".ci" / "package").read_text(), re.MULTILINE)
