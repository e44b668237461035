"""A Sphinx extension that writes formulas as MathML, which browsers draw without any script.

MathJax, the usual way, is fetched from another host whenever a page is read.
"""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

RENDERER = "mathml"

# Only a font made for formulas has brackets that grow; browsers do not always find the right one.
FONTS = "'Cambria Math', 'STIX Two Math', 'Latin Modern Math', 'DejaVu Math TeX Gyre', math"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; Sphinx calls this."""
    app.add_html_math_renderer(RENDERER, (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a line of text."""
    translator.body.append(_markup(node, "inline"))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands by itself, with its number if it has a label."""
    # a formula that is wider than a phone scrolls by itself
    style = "overflow: auto hidden; padding-block: 0.6rem; margin-bottom: 0.6rem"
    translator.body.append(translator.starttag(node, "div", CLASS="mathml", style=style))
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({node["number"]})</span>')
    translator.body.append(f"{_markup(node, 'block')}</div>\n")
    raise nodes.SkipNode


def _markup(node: nodes.Element, display: str) -> str:
    markup: str = convert(node.astext(), display=display)
    return markup.replace("<math ", f'<math style="font-family: {FONTS}" ', 1)
