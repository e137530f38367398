"""Sphinx configuration: `sphinx-build docs docs/_build`.

The pages in `docs/reference` are generated from the code before Sphinx reads anything.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import client_summary
import writing_reference

import aiocos

project = "aiocos"
author = "The aiocos authors"
release = aiocos.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design"]
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
# One parameter per line where a signature is long.
python_maximum_signature_line_length = 88
nitpicky = False
# The guides link to source files, which are not pages.
suppress_warnings = ["myst.xref_missing"]

reference = Path(__file__).parent / "reference"
writing_reference.write(reference)
client_summary.write(reference)
