"""SVG elements as safe text: every attribute and every text is escaped here and nowhere else."""

from __future__ import annotations

from markupsafe import Markup, escape

from agrocredit.report.display import printable


def number(value: float) -> str:
    """Return a coordinate with at most two decimals and no trailing zeros.

    >>> number(3.0), number(0.125), number(-0.001)
    ('3', '0.12', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """Return one element; underscores in attribute names become hyphens, a trailing one is dropped.

    Parameters
    ----------
    tag : str
        Name of the element, from our own code.
    *children : object
        Markup is kept, any other text is escaped.
    **attributes : object
        Values are escaped; None leaves the attribute out; numbers get at most two decimals.

    >>> element("text", "a < b", class_="tick", x=1.5)
    Markup('<text class="tick" x="1.5">a &lt; b</text>')
    """
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(child if isinstance(child, Markup) else escape(printable(child)) for child in children)
    return Markup(f"<{tag}{pairs}>{inner}</{tag}>")  # noqa: S704 - pairs and inner are escaped above


def _attribute(value: object) -> str:
    return number(value) if isinstance(value, float | int) else escape(printable(value))
