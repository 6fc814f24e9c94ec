"""Makes the bytes of a mail from its words, in the ways that mail programs have."""

import html
import io
import random
import textwrap
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from . import files

if TYPE_CHECKING:
    from .corpus import Mail

SERVER, OWN = "mx.kommun.example", "robot@kommun.example"
SENDER = "Anna Lind <anna.lind@lindskolan.example>"
LATIN = {"latin": ("iso-8859-1", "iso-8859-1"), "mislabelled": ("iso-8859-1", "utf-8")}


def build(mail: "Mail") -> bytes:
    """Bytes of a mail: the receiving server's lines on top, then what the sender's program wrote."""
    headers = dict(mail.headers)
    sender = headers.pop("From", SENDER)
    message = _content(mail)
    # Lines that the sender's program wrote stand below those of the server.
    written = [("From", sender), ("To", OWN), ("Message-ID", f"<{mail.id}@klient.example>"), *headers.items()]
    lines = [*([] if "noauth" in mail.how else _server_lines(sender)), *written]
    head = "".join(f"{name}: {_folded(value)}\r\n" for name, value in lines)
    return head.encode("utf-8") + message


def _server_lines(sender: str) -> list[tuple[str, str]]:
    domain = sender.rpartition("@")[2].strip(" <>")
    return [
        ("Authentication-Results", f"{SERVER}; spf=pass smtp.mailfrom={domain}; dmarc=pass header.from={domain}"),
        ("Received", f"from out.{domain} by {SERVER} with ESMTPS; Tue, 3 Mar 2026 10:00:00 +0100"),
    ]


def _folded(value: str) -> str:
    """A header's value with encoded words where they are needed."""
    if value.isascii():
        return value
    words, _, address = value.rpartition("<") if value.endswith(">") else (value, "", "")
    text = words.strip().strip('"')
    encoded = "=?utf-8?q?" + "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in text.encode()
    ) + "?="  # fmt: skip
    return f"{encoded} <{address}" if address else encoded


def _content(mail: "Mail") -> bytes:
    """MIME body with its own content headers."""
    how, letter = set(mail.how), mail.letter
    if "wrapped" in how:
        letter = "\n".join(textwrap.fill(line, 60) for line in letter.split("\n"))
    if "phone" in how:
        letter += "\n\nSkickat från min iPhone"
    if "quoted" in how:
        letter += (
            "\n\nDen tis 3 mars 2026 kl 09:00 skrev Kommunen <info@kommun.example>:\n> Hej!\n> Vad gäller det?"
        )
    if "forwarded" in how:
        letter += (
            "\n\n-----Ursprungligt meddelande-----\nFrån: Kommunen\nSkickat: den 2 mars 2026\nÄmne: Hej\n\nSvar."
        )
    if how & set(LATIN):
        written, declared = LATIN[next(iter(how & set(LATIN)))]
        head = f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={declared}\r\n"
        head += "Content-Transfer-Encoding: 8bit\r\n\r\n"
        return head.encode() + letter.encode(written, "replace").replace(b"\n", b"\r\n")
    return _with_pieces(mail, letter, how).as_bytes(policy=SMTP)


def _with_pieces(mail: "Mail", letter: str, how: set[str]) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    pieces = list(mail.pieces)
    page = next((text for kind, text in pieces if kind == "html"), None)
    plain = next((text for kind, text in pieces if kind == "alternative"), letter)
    if page is None and how & {"html", "outlook", "gmail", "both"}:
        page = MARKUP[next(iter(how & {"html", "outlook", "gmail", "both"}))](letter)
    if page is not None and (plain.strip() or "both" in how):
        message.set_content(plain)
        message.add_alternative(page, subtype="html", cte="quoted-printable")
    elif page is not None:
        message.set_content(page, subtype="html")
    else:
        message.set_content(plain, cte="base64" if "base64" in how else None)
    for kind, text in pieces:
        _attach(message, kind, text)
    return message


def _attach(message: EmailMessage, kind: str, text: str) -> None:
    sort, *rest = kind.split()
    if sort == "pdf":
        message.add_attachment(pdf(text), maintype="application", subtype="pdf", filename=rest[0])
    elif sort in {"ubl", "svefaktura", "creditnote"}:
        fields = dict(line.split(": ", 1) for line in text.splitlines())
        message.add_attachment(
            files.einvoice(sort, fields), maintype="application", subtype="xml", filename=rest[0]
        )
    elif sort == "xml":
        message.add_attachment(text.encode(), maintype="text", subtype="xml", filename=rest[0])
    elif sort == "nested":
        inner = EmailMessage(policy=SMTP)
        head, _, body = text.partition("\n\n")
        for line in head.splitlines():
            inner[line.partition(":")[0]] = line.partition(":")[2].strip()
        inner.set_content(body)
        message.add_attachment(inner)
    elif sort == "image":
        noise = random.Random(rest[0]).randbytes(int(rest[1]))
        message.add_attachment(noise, maintype="image", subtype="jpeg", filename=rest[0])
    elif sort == "logo":
        message.make_mixed()
        part = MIMEPart(policy=SMTP)
        part.set_content(b"\x89PNG" * 200, maintype="image", subtype="png", disposition="inline", cid="<logo@x>")
        message.attach(part)
    elif sort == "file":
        main, _, sub = rest[1].partition("/")
        message.add_attachment(b"\x78\x9f\x3e\x22" * 100, maintype=main, subtype=sub, filename=rest[0])


def pdf(text: str) -> bytes:
    """A PDF with this text, as an invoice program writes it."""
    with plt.rc_context({"pdf.fonttype": 42, "pdf.compression": 6}):
        figure = plt.figure(figsize=(8, 11))
        for number, line in enumerate(text.splitlines()):
            figure.text(0.08, 0.95 - number * 0.03, line)
        out = io.BytesIO()
        figure.savefig(out, format="pdf", metadata={"CreationDate": None})
        plt.close(figure)
    return out.getvalue()


def _simple(letter: str) -> str:
    return f"<html><body>{html.escape(letter).replace(chr(10), '<br>')}</body></html>"


def _outlook(letter: str) -> str:
    span = '<p class="MsoNormal"><span style="font-size:11.0pt;color:#1F497D">{}<o:p></o:p></span></p>'
    rows = "".join(span.format(html.escape(line) or "&nbsp;") for line in letter.split("\n"))
    style = "<!--p.MsoNormal{margin:0cm;font-size:11.0pt;} @page WordSection1{size:612.0pt 792.0pt;}-->"
    head = f'<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>{style}</style></head>'
    return f'{head}<body lang="SV"><div class="WordSection1">{rows}</div></body></html>'


def _gmail(letter: str) -> str:
    rows = "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in letter.split("\n"))
    return f'<div dir="ltr">{rows}</div>'


MARKUP = {"html": _simple, "outlook": _outlook, "gmail": _gmail, "both": _simple}
