"""Sphinx: `sphinx-build docs site`. The reference is written from the statements of operations before anything is read."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import writing_reference

import aiocos

project = "aiocos"
author = "The aiocos authors"
release = aiocos.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "site"]
html_theme = "furo"
html_title = f"aiocos {release}"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
nitpicky = False
# The guides link to source files, which are no part of the pages.
suppress_warnings = ["myst.xref_missing"]

writing_reference.write(Path(__file__).parent / "reference")
