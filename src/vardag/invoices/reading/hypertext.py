"""HTML to the text that a person sees; what was made invisible is left out and told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml import html as lxml_html

DROPPED = {
    "script",
    "style",
    "head",
    "title",
    "noscript",
    "template",
    "svg",
    "object",
    "iframe",
    "select",
    "option",
}
BLOCKS = {"p", "div", "br", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "section",
          "article", "header", "footer", "address", "dl", "dt", "dd", "form", "center", "tbody", "thead"}  # fmt: skip
INVISIBLE = re.compile(
    r"display:none|visibility:hidden|(?<![a-z-])opacity:0(?:\.0{1,9})?(?![.\d])|font-size:[01](?:\.\d{1,9})?(?:px|pt|em|%|;|$)"
    r"|max-height:0|(?<![a-z-])(?:height|width):0(?:px)?(?:;|$)|text-indent:-\d{3}|left:-\d{3}|mso-hide:all|color:transparent"
)
WHITE = r"(?:white|#fff(?:fff)?|#f[d-f]f[d-f]f[d-f]|rgba?\(25[0-5],25[0-5],25[0-5](?:,[\d.]{1,6})?\))(?![\w])"
WHITE_TEXT = re.compile(rf"(?<![a-z-])color:{WHITE}")
BACKGROUND = re.compile(r"background(?:-color)?:(?!transparent|none|inherit)([^;]{1,60})")
HIDING_CLASS = re.compile(r"\.([A-Za-z][\w-]{0,60})\s{0,5}\{([^{}]{0,300})\}")
OPENS, CLOSES = "\x02", "\x03"


def to_text(source: str) -> tuple[str, bool]:
    """Text of an HTML page, and whether something in it was hidden from the reader's eye.

    A quotation becomes lines that begin with ``>``, a table row its cells with a bar between.
    """
    source = source.replace("\x00", "").replace(OPENS, "").replace(CLOSES, "")
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_pis=True)
    try:
        root = lxml_html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return "", bool(source.strip())
    classes = frozenset(
        name for name, rule in HIDING_CLASS.findall(source[:200_000]) if INVISIBLE.search(_squeezed(rule))
    )
    walker = _Walker(classes)
    return _lines("".join(walker.pieces(root))), walker.hidden


@dataclass(frozen=True)
class _Where:
    """What holds inside an element: dropped whole, not to be seen, on a background that is not white."""

    dropped: bool = False
    unseen: bool = False
    dark: bool = False


class _Walker:
    """Walks the tree without recursion and remembers inside what it stands."""

    def __init__(self, classes: frozenset[str]) -> None:
        self.classes = classes
        self.hidden = False
        self._inside = [_Where()]

    def pieces(self, root: etree._Element) -> Iterator[str]:
        for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if event == "start":
                self._inside.append(self._within(element, self._inside[-1]))
                yield _mark(element.tag, opening=True)
                yield self._seen(element.text)
            elif event == "end":
                self._inside.pop()
                yield _mark(element.tag, opening=False)
                yield self._seen(element.tail)
            else:
                yield self._seen(element.tail)

    def _within(self, element: etree._Element, outside: _Where) -> _Where:
        style = _squeezed(element.get("style") or "")
        background = BACKGROUND.search(style)
        painted = background.group(1) if background else _squeezed(element.get("bgcolor") or "")
        dark = outside.dark if not painted else not re.match(WHITE, painted)
        white = WHITE_TEXT.search(style) or re.match(WHITE, _squeezed(element.get("color") or ""))
        unseen = (
            outside.unseen
            or INVISIBLE.search(style) is not None
            or element.get("hidden") is not None
            or bool(self.classes.intersection((element.get("class") or "").split()))
            or (bool(white) and not dark)
        )
        return _Where(outside.dropped or element.tag in DROPPED, unseen, dark)

    def _seen(self, text: str | None) -> str:
        if not text or self._inside[-1].dropped:
            return ""
        if self._inside[-1].unseen:
            self.hidden = self.hidden or any(character.isalnum() for character in text)
            return ""
        return re.sub(r"[ \t\r\n]+", " ", text)


def _mark(tag: str, *, opening: bool) -> str:
    """What an element adds to the text where it begins or ends."""
    if tag == "blockquote":
        return f"\n{OPENS if opening else CLOSES}\n"
    if tag in {"td", "th"}:
        return "" if opening else " | "
    if tag == "li":
        return "\n- " if opening else "\n"
    return "\n" if tag in BLOCKS and not (tag == "br" and not opening) else ""


def _squeezed(style: str) -> str:
    return re.sub(r"\s+", "", style.lower()[:2000])


def _lines(text: str) -> str:
    lines: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(OPENS) - line.count(CLOSES)
        plain = line.replace(OPENS, "").replace(CLOSES, "").strip().removesuffix("|").strip()
        if plain:
            lines.append("> " * (depth > 0) + plain)
        elif lines and lines[-1]:
            lines.append("")
    return "\n".join(lines).strip("\n")
