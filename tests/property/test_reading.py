"""Whatever the bytes are: something is returned, each mark stands where it says, and time is bounded."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mails.build import OWN, SERVER
from mails.corpus import SETS, load
from vardag.invoices.model import MailRead, Read
from vardag.invoices.reading import decidable, load_patterns, read_mail
from vardag.invoices.reading.figures import normal_amount, normal_number, normal_organisation

PATTERNS = load_patterns()
CORPUS = [mail.raw for name in SETS for mail in load(name)]
FROM = b"From: a@b.example\r\n"
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def read(raw: bytes, *, truncated: bool = False) -> MailRead:
    return read_mail(raw, patterns=PATTERNS, trusted_server=SERVER, own_address=OWN, truncated=truncated)


def check_marks(mail: MailRead) -> None:
    for request in mail.requests:
        marks = [
            (request.number, normal_number),
            (request.customer, normal_number),
            (request.reference, lambda text: "".join(c for c in text if c.isdigit())),
            (request.amount, normal_amount),
            (request.organisation, normal_organisation),
            (request.reason, PATTERNS.reasons.code),
            (request.replacement, PATTERNS.replacements.code),
        ]
        for mark, normal in marks:
            if mark is not None:
                assert normal(words(mail, mark)) == mark.value and 0 <= mark.sure <= 1


def words(mail: MailRead, mark: Read) -> str:
    return mail.texts[mark.where][mark.start : mark.end]


@given(st.binary(max_size=3000), st.booleans())
@OFTEN
def test_any_bytes(raw: bytes, truncated: bool) -> None:
    check_marks(read(raw, truncated=truncated))


@given(st.sampled_from(CORPUS), st.data())
@OFTEN
def test_a_damaged_mail(raw: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 40))
        raw = raw[:place] + data.draw(st.binary(max_size=12)) + raw[place + cut :]
    check_marks(read(raw))


@given(st.text(max_size=400), st.sampled_from(["plain", "html"]))
@OFTEN
def test_any_letter(text: str, kind: str) -> None:
    head = FROM + f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n".encode()
    check_marks(read(head + text.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize("raw", CORPUS[:: max(1, len(CORPUS) // 120)])
def test_marks_in_the_corpus(raw: bytes) -> None:
    check_marks(read(raw))


@given(st.sampled_from(CORPUS))
@OFTEN
def test_reading_twice_is_reading_once(raw: bytes) -> None:
    assert read(raw) == read(raw)


HOSTILE = [
    "makulera ",
    "1",
    "1 ",
    "1234567 ",
    "a",
    " ",
    "\n",
    "> ",
    "-",
    "faktura ",
    "faktura 1234567, ",
    "<b>",
    "Från: x\n",
    "makulera faktura 1234567\n",
    "0-",
    "+46 ",
    "1.",
    "1,",
    "inte ",
    "fel ",
    "kreditera inte ",
    "|",
    "a | 1\n",
    "(",
    "\u200b",
    "@",
    "a@",
    "http://",
    "den ",
    "skrev:\n",
    "On 1 2026 wrote\n",
    "Mvh\n",
    "om ",
    "1-",
    "A1",
    "SEK 1",
    "1 kr ",
    ": ",
    "fakturanr ",
    "1234567 och ",
    '"',
    "?",
    "makulera inte faktura 1234567. ",
    "<div style='color:white'>a",
    "2026-01-",
]


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_made_to_hurt_takes_no_longer_than_its_length(piece: str, kind: str) -> None:
    head = (
        FROM
        + f"Subject: {piece * 300}".replace("\n", " ").encode()
        + f"\r\nContent-Type: text/{kind}\r\n\r\n".encode()
    )
    start = time.process_time()
    mail = read(head + (piece * (200_000 // len(piece))).encode())
    assert time.process_time() - start < 3
    assert not any(decidable(mail, request) for request in mail.requests)


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "Subject",
        "Content-Type",
        "Authentication-Results",
        "Received",
        "Reply-To",
        "Content-Disposition",
        "To",
        "In-Reply-To",
    ],
)
@pytest.mark.parametrize(
    "piece", ["(", "a ", "=?utf-8?q?a?= ", "<", "a;", ";a=b", '"', ",", "a@b.example, ", "\\", "*0*=a;"]
)
def test_a_header_made_to_hurt(name: str, piece: str) -> None:
    raw = f"{name}: x{piece * (200_000 // len(piece))}\r\n".encode() + FROM + b"\r\nMakulera faktura 1234567"
    start = time.process_time()
    read(raw)
    assert time.process_time() - start < 3
