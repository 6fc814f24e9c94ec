"""Who wrote, and whether the receiving mail server could prove it (RFC 8601, SPF, DKIM, DMARC)."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import authres
from authres.core import AuthResError

from vardag.invoices.model import Sender
from vardag.invoices.reading.characters import clean
from vardag.invoices.reading.parts import BROKEN, Parts, one_line

ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}")


def read_sender(parts: Parts, *, trusted_server: str) -> tuple[Sender, list[str]]:
    """The sender, and what is doubtful about it."""
    doubts: list[str] = []
    senders = [entry for value in _values(parts, "from") for entry in addresses(parts, "From", value)]
    if len(senders) > 1:
        doubts.append("many_senders")
    if not senders:
        return Sender(""), ["no_sender"]
    name, address = senders[0]
    others = {found.lower() for found in ADDRESS.findall(name.replace(" ", ""))}
    if others - {address} or not clean(address).text.isascii() or "xn--" in address:
        doubts.append("sender_misleads")
    domain = address.partition("@")[2]
    replies = [entry for value in _values(parts, "reply-to") for entry in addresses(parts, "Reply-To", value)]
    if any(not aligned(reply.partition("@")[2], domain) for _, reply in replies):
        doubts.append("reply_elsewhere")
    proven, failed = is_proven(parts.header, domain, trusted_server=trusted_server)
    if failed:
        doubts.append("sender_failed")
    return Sender(address, name, proven and len(senders) == 1), doubts


def addresses(parts: Parts, name: str, value: str) -> list[tuple[str, str]]:
    """Names and addresses in a header; addresses in lower case."""
    try:
        header = parts.message.policy.header_fetch_parse(name, value)
        found = [
            (one_line(str(a.display_name)), str(a.addr_spec).lower()) for a in getattr(header, "addresses", ())
        ]
    except BROKEN:
        found = []
    usable = [(shown, address) for shown, address in found if ADDRESS.fullmatch(address)]
    return usable or [("", address.lower()) for address in ADDRESS.findall(value)[:2]]


def is_proven(header: Sequence[tuple[str, str]], domain: str, *, trusted_server: str) -> tuple[bool, bool]:
    """Whether the trusted server proved the domain, and whether it found the mail to be false."""
    results = [result for value in trusted_results(header, trusted_server) for result in _results(value)]
    told = {(result.method, result.result) for result in results}
    if ("dmarc", "fail") in told:
        return False, True
    if any(result.method == "dmarc" and result.result == "pass" and _names(result, domain, exact=True)
           for result in results):  # fmt: skip
        return True, False
    aligned_pass = any(
        result.method in {"spf", "dkim"} and result.result == "pass" and _names(result, domain, exact=False)
        for result in results
    )
    return aligned_pass, not aligned_pass and {("spf", "fail"), ("dkim", "fail")} <= told


def trusted_results(header: Sequence[tuple[str, str]], trusted_server: str) -> Iterator[str]:
    """Authentication results that our own server wrote.

    A server writes its lines on top of what it was handed, so whatever lies below the line where it received the
    mail came with the mail and may be forged, whatever name it bears.
    """
    if not trusted_server:
        return
    received = [index for index, (name, _) in enumerate(header) if name == "received"]
    ours = [i for i in received if re.search(rf"\bby\s+{re.escape(trusted_server)}(?![\w.-])", header[i][1], re.I)]
    border = (ours or received or [len(header)])[0]
    for name, value in header[:border]:
        if name == "authentication-results" and _server(value) == trusted_server.lower():
            yield value
            if not received:
                return


def aligned(one: str, other: str) -> bool:
    """Tell whether a domain is another, or lies under it or over it.

    >>> aligned("mail.foretag.example", "foretag.example"), aligned("foretag.example.evil.test", "foretag.example")
    (True, False)
    """
    one, other = one.lower().strip("."), other.lower().strip(".")
    if not one or not other:
        return False
    nested = one.endswith("." + other) or other.endswith("." + one)
    return one == other or (nested and min(one.count("."), other.count(".")) >= 1)


def _server(value: str) -> str:
    return re.split(r"[;\s]", value.strip(), maxsplit=1)[0].lower()


@lru_cache(maxsize=64)  # our own server writes the same line about every colleague's mail
def _results(value: str) -> tuple[authres.core.AuthenticationResult, ...]:
    try:
        return tuple(authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}").results)
    except (AuthResError, *BROKEN):
        return ()


def _names(result: authres.core.AuthenticationResult, domain: str, *, exact: bool) -> bool:
    wanted = {
        "dmarc": {("header", "from")},
        "spf": {("smtp", "mailfrom")},
        "dkim": {("header", "d"), ("header", "i")},
    }
    named = [
        str(item.value).rpartition("@")[2].lower()
        for item in result.properties
        if (item.type, item.name) in wanted[result.method]
    ]
    return any(name == domain if exact else aligned(name, domain) for name in named)


def _values(parts: Parts, name: str) -> list[str]:
    """Values as they came: an encoded name may hold a comma, which would part it in two once decoded."""
    return [str(value) for key, value in parts.message.raw_items() if str(key).lower() == name]
