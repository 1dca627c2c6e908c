"""Settings of the site: ``sphinx-build -c docs . build/site`` makes it from the committed notebooks."""

import gc
import sys
from pathlib import Path

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.addnodes import pending_xref
from sphinx.util.logging import getLogger

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from stand_ins import stand_in  # noqa: E402

stand_in("keras", "tensorflow")

import additions  # noqa: E402

# The parsed pages all stay until the end; to look for garbage among them takes a quarter of the time.
gc.disable()

logger = getLogger(__name__)
project = "Four questions about neural networks"
author = copyright = "The deep-learning-notebooks authors"
language = "en"
root_doc = "docs/index"
include_patterns = ["docs/**", "*.md", "*/README.md", "*/[0-9][0-9]_*.ipynb"]
exclude_patterns = [
    "README.md",
    ".*",
    "build",
    "tests",
    "docs/evidence",
    "docs/skeleton",
    "**/results",
    "common/data",
    "*.egg-info",
]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinxcontrib.bibtex",
]

# The notebooks are shown as they were committed.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/markdown", 0)]
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "dollarmath", "attrs_block"]
myst_heading_anchors = 3
myst_update_mathjax = False

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 90
napoleon_google_docstring = False
napoleon_use_rtype = False
default_role = "py:obj"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

html_title = project
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = html_use_index = html_domain_indices = False
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], root_doc: []},
}
if additions.REPOSITORY:
    html_theme_options |= {"repository_url": additions.REPOSITORY, "use_repository_button": True}


def setup(app):
    """Connect what the site adds to Sphinx: formulas as MathML, generated pages, texts for pictures."""
    app.add_html_math_renderer("mathml", (formula, None), (displayed_formula, None))
    app.add_config_value("write_live_figures", True, "env", bool)
    app.connect("builder-inited", additions.write_live_figures)
    app.connect("source-read", additions.complete)
    app.connect("autodoc-skip-member", is_foreign)
    app.connect("doctree-read", unlink_words)
    app.connect("build-finished", additions.finish)


def is_foreign(app, what, name, member, skip, options):
    """Leave out what others put into a class of ours, and the fields of a named tuple, told in its text."""
    module = getattr(member, "__module__", None) or "common"
    return True if not module.startswith("common") or type(member).__name__ == "_tuplegetter" else None


def unlink_words(app, doctree):
    """Keep a plain word in the place of a type, such as images, from leading to an attribute of that name."""
    for node in list(doctree.findall(pending_xref)):
        if node["reftype"] == "class" and node["reftarget"].isidentifier() and node["reftarget"].islower():
            node.replace_self(node.children)


def formula(writer, node, as_block=False):
    """Write a formula as MathML, which browsers set without a script."""
    try:
        written = tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        logger.warning("A formula cannot be set: %s", error, location=node)
        written = f"<code>{writer.encode(node.astext())}</code>"
    writer.body.append(written)
    raise SkipNode


def displayed_formula(writer, node):
    """Write a formula that stands alone as MathML."""
    formula(writer, node, as_block=True)
