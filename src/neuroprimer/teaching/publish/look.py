"""A Sphinx extension that gives each page our style and script, and explains terms.

What search engines are told of it comes from `page_heads`.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from neuroprimer.teaching.publish import page_heads
from neuroprimer.teaching.publish.terms import Glossary

ASSETS = Path(__file__).with_name("assets")
STYLES = ("neuroprimer.css", "marks.css")
SCRIPTS = ("neuroprimer.js", "marks.js")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register style, script and glossary; Sphinx calls this."""
    # Jupyter Book sets it, though what reads it is not loaded
    app.add_config_value("thebe_config", {}, "html")
    app.connect("builder-inited", _add_assets)
    for name in STYLES:
        app.add_css_file(name)
    for name in SCRIPTS:
        app.add_js_file(name, loading_method="defer")
    page_heads.connect(app)
    glossary = Glossary()
    app.connect("env-updated", glossary.read)
    app.connect("doctree-resolved", glossary.explain)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def _add_assets(app: Sphinx) -> None:
    app.config.html_static_path.append(str(ASSETS))
