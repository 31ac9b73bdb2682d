"""The documentation site: `make docs`."""

import sys
from pathlib import Path

import lam_env

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "lam_env"
author = "lam_env authors"
release = version = lam_env.__version__
extensions = ["lam_docs", "sphinx.ext.autodoc", "myst_nb"]
suppress_warnings = ["toc.empty_glob"]  # a part of the site may have no pages yet
exclude_patterns = ["_build", "**/.ipynb_checkpoints", "jupyter_execute"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

html_theme = "furo"
html_title = f"lam_env {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"  # a notebook that has not changed is not run again
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_in_temp = True
nb_execution_timeout = 1800  # [s] for a cell, on a busy machine
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
# types of other libraries, and of the kit's inside, have no page here
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]
