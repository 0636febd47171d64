"""A report as one page of HTML that needs nothing else: no network, no script but its own.

Texts of corpora, benchmarks and models are hostile. They reach the page through a template that escapes everything;
what would reorder or hide a line is spelled out; and the page's own policy lets no script run but the one whose hash it
names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from anygram.analysis.page.filters import brief, level, number, percent, shown
from anygram.errors import MissingExtraError


def render_page(package: str, view: Mapping[str, Any]) -> str:
    """The page of a kind of report.

    Args:
        package: whose folder `page_files` has page.html.j2 (which extends base.html.j2 of this package), page.css
            (which stands behind base.css) and page.js.
        view: what the template shows; `corpus` has the facts of the index.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError:
        raise MissingExtraError("a page of HTML needs jinja2: pip install 'anygram[html]'") from None
    shared, own = (files(name) / "page_files" for name in ("anygram.analysis.page", package))
    templates = {"base.html.j2": shared, "page.html.j2": own}
    style = (shared / "base.css").read_text(encoding="utf-8") + (own / "page.css").read_text(encoding="utf-8")
    script = (own / "page.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(
            {name: (folder / name).read_text(encoding="utf-8") for name, folder in templates.items()}
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "brief": brief, "percent": percent, "number": number, "level": level}
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # our own files, in which nothing of a corpus stands
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        **view,
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
