"""Sphinx configuration: `sphinx-build docs docs/_build`.

The pages in `docs/reference` are generated from the code before Sphinx reads anything.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import client_summary
import writing_reference

import aiocos
from aiocos.describe import LazyDocstring, summary_of

project = "aiocos"
author = "The aiocos authors"
release = aiocos.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx_design"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "site", "reference/_*"]
html_theme = "furo"
html_title = f"aiocos {release}"
html_static_path = ["_static"]
html_css_files = ["aiocos.css"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# `name` in a docstring is code.
default_role = "code"
# One parameter per line where a signature is long.
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
nitpicky = False
# Exceptions have the same names in `aiocos` and `aiocos.ibm_boto3`; a bare name in a docstring means those of `aiocos`.
suppress_warnings = ["ref.python"]

reference = Path(__file__).parent / "reference"
writing_reference.write(reference)
client_summary.write(reference)


def without_fields(app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, result: str | None) -> Any:
    """Drop the signature of settings and results: their fields are listed one by one below it."""
    has_fields = what == "class" and (dataclasses.is_dataclass(obj) or hasattr(obj, "model_fields"))
    return ("", None) if has_fields else None


def with_default(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Add the default of a setting whose text does not say it."""
    owner, _, field = name.rpartition(".")
    cls = getattr(aiocos, owner.rpartition(".")[2], None)
    if what != "attribute" or not dataclasses.is_dataclass(cls) or not owner.endswith("Config"):
        return
    default = next((f.default for f in dataclasses.fields(cls) if f.name == field), dataclasses.MISSING)
    if default is not dataclasses.MISSING and "default" not in " ".join(lines).lower():
        lines += ["", f"Default: `{default!r}`."]


_texts: dict[str, list[str]] = {}


def keep_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Remember the text of a field, before napoleon takes what stands before a colon in it for a type."""
    if what in ("attribute", "property", "data"):
        _texts[name] = list(lines)
    elif what == "class" and isinstance(vars(obj).get("__doc__"), LazyDocstring):
        # The page lists the fields one by one below the class.
        lines[:] = [*summary_of(obj).splitlines(), ""]


def restore_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Put the text of a field back."""
    if name in _texts:
        lines[:] = _texts.pop(name)


def setup(app: Any) -> None:
    """Register the functions above with Sphinx; napoleon has the priority 500."""
    app.connect("autodoc-process-signature", without_fields)
    app.connect("autodoc-process-docstring", keep_text, priority=400)
    app.connect("autodoc-process-docstring", restore_text, priority=600)
    app.connect("autodoc-process-docstring", with_default, priority=700)
