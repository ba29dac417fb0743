"""A page to print: one HTML file that needs nothing else, set for A4."""

from __future__ import annotations

from html import escape

from tl_ui.frame.theme import FONT, LIGHT

STYLE = f"""
@page {{ size: A4; margin: 18mm 20mm; }}
body {{ font-family: {FONT}; color: {LIGHT.ink}; font-size: 10.5pt; line-height: 1.45; margin: 2rem auto;
  max-width: 170mm; padding: 0 1rem; word-break: keep-all; overflow-wrap: anywhere; }}
h1 {{ font-size: 18pt; line-height: 1.25; margin: 0 0 .6em; }}
h2 {{ font-size: 13pt; margin: .9em 0 .15em; break-after: avoid; }}
h3 {{ font-size: 11.5pt; margin: .9em 0 .15em; break-after: avoid; }}
p, ul, ol {{ margin: 0 0 .5em; }}
table {{ border-collapse: collapse; width: 100%; font-size: 10pt; }}
th, td {{ border: 1px solid {LIGHT.line}; padding: .35em .5em; text-align: left; vertical-align: top; }}
th {{ background: {LIGHT.removed_soft}; }}
tr {{ break-inside: avoid; }}
td:first-child {{ min-width: 4em; }}
td:nth-child(2) {{ min-width: 6.5em; }}
td {{ overflow-wrap: break-word; }}
code {{ font-size: .92em; background: {LIGHT.removed_soft}; padding: .05em .3em; border-radius: .2em; }}
article + article {{ break-before: page; }}
footer {{ color: {LIGHT.muted}; font-size: 9pt; margin-top: 1.2em; border-top: 1px solid {LIGHT.line};
  padding-top: .5em; }}
@media print {{ body {{ margin: 0; max-width: none; padding: 0; }} }}
"""


def document(title: str, bodies: dict[str, str], footer: str = "") -> str:
    """A whole HTML document.

    Args: bodies: HTML by language (as in `lang`), one article each; what is put in must be escaped already.
    title, footer: plain text.
    """
    articles = "\n".join(f'<article lang="{language}">{body}</article>' for language, body in bodies.items())
    end = f"<footer>{escape(footer)}</footer>" if footer else ""
    return (
        f'<!doctype html>\n<html lang="{next(iter(bodies))}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{articles}\n{end}\n</body></html>\n"
    )
