"""Answers: the right template, nothing told to a stranger, nothing of a hostile mail sent on."""

import email
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from vardag.invoices.answers import (
    FIELDS,
    NAMES,
    From,
    answerable,
    check_templates,
    compose,
    message_id,
    template_for,
)
from vardag.invoices.answers.address import number_of, subject_of
from vardag.invoices.answers.composing import STRANGERS, TEXTS
from vardag.invoices.answers.templates import PACKAGED
from vardag.invoices.model import (
    Action,
    BusinessError,
    CreditNote,
    Customer,
    Decision,
    Done,
    Effect,
    Invoice,
    InvoiceState,
    MailKind,
    MailRead,
    Money,
    Sender,
)
from vardag.invoices.rules import in_order

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ROBOT = From("robot@kommun.se", "Vardaga kommun", "Ekonomiservice", "ekonomi@kommun.se", "0123-456 78")
MAIL = MailRead(
    MailKind.REQUEST,
    Sender("anna@kommun.se", "Anna", True),
    "Makulera faktura 10421",
    "sv",
    (),
    message_id="a@b.se",
)
INVOICE = Invoice(
    "7",
    "10421",
    InvoiceState.POSTED,
    Customer("1001", "Eva Ek"),
    date(2026, 11, 10),
    date(2026, 12, 10),
    Money(Decimal("1250.50")),
)
CREDITED = Done(Effect.CREDIT, "10421", CreditNote("90017", "10421", INVOICE.total, date(2026, 11, 24), "key"))


def decision(action: Action, code: str, *more: str) -> Decision:
    return Decision(
        action, code, (code, *more), "2026.1-00000000", Effect.CREDIT if action is Action.CANCEL else None
    )


CANCEL = decision(Action.CANCEL, "posted")


def answer(verdict: Decision = CANCEL, **changes: Any) -> EmailMessage:
    plain: dict[str, Any] = {
        "mail": MAIL, "item": "A7F3", "sender": ROBOT, "entitled": True, "now": NOW, "invoice": INVOICE,
        "target": "10421", "done": CREDITED if verdict.action is Action.CANCEL else None,
    }  # fmt: skip
    return compose(decision=verdict, **plain | changes)


def text(message: EmailMessage) -> str:
    return str(message.get_content())


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("sv", "Fakturan 10421 på 1\xa0250,50\xa0kr är krediterad i sin helhet."),
        ("en", "Invoice 10421 for SEK\xa01,250.50 has been credited in full."),
    ],
)
def test_what_was_done_is_told_with_its_numbers(language: str, says: str) -> None:
    body = text(answer(mail=replace(MAIL, language=language)))
    assert says in body and "90017" in body and "2026-11-24" in body
    assert "robot" in body and "Ekonomiservice, ekonomi@kommun.se" in body and "A7F3" in body


def test_an_answer_in_a_third_language_is_in_the_citys_own() -> None:
    assert text(answer(mail=replace(MAIL, language="fi"))) == text(answer())
    assert "Hello" in text(answer(mail=replace(MAIL, language="fi"), sender=replace(ROBOT, language="en")))


def test_a_refund_is_told() -> None:
    assert "400,00\xa0kr är betalt" in text(answer(invoice=replace(INVOICE, paid=Decimal(400))))


@pytest.mark.parametrize(
    ("verdict", "done", "waiting", "template"),
    [
        (CANCEL, CREDITED, False, "cancelled_credit"),
        (CANCEL, Done(Effect.VOID, "10421"), False, "cancelled_void"),
        (CANCEL, None, False, "received"),
        (decision(Action.REFER, "paid"), None, False, "referred"),
        (decision(Action.REFER, "four_eyes"), None, True, "received"),
        (decision(Action.REJECT, "already_credited"), None, False, "already_credited"),
        (decision(Action.REJECT, "no_number"), None, False, "missing"),
        (decision(Action.REJECT, "not_found"), None, False, "missing"),
        (decision(Action.REJECT, "duplicate"), None, False, "rejected"),
    ],
)
def test_each_decision_has_its_template(verdict: Decision, done: Done | None, waiting: bool, template: str) -> None:
    assert template_for(verdict, trusted=True, done=done, waiting=waiting) == template
    assert template_for(verdict, trusted=False, done=done, waiting=waiting) == "neutral"
    assert answer(verdict, done=done, waiting=waiting)["Subject"] == "Sv: Makulera faktura 10421"


def test_nothing_is_called_done_that_the_finance_system_has_not_done() -> None:
    body = text(answer(done=None))
    assert "krediterad" not in body and "bekräftar" in body


def test_every_rule_that_stops_a_request_has_words_for_the_one_who_asked() -> None:
    told = {"unproven", "not_entitled", "no_number", "not_found", "already_credited"}  # by templates of their own
    codes = {rule.code for rule in in_order() if rule.effect is None}
    assert codes - told == {key.removeprefix("because_") for key in TEXTS.entries if key[:3] == "bec"} - {"other"}
    assert TEXTS.incomplete() == [] and codes >= STRANGERS


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_stranger_is_told_the_same_whatever_the_finance_system_holds(language: str) -> None:
    strange = replace(MAIL, sender=replace(MAIL.sender, proven=False), language=language)
    proven = replace(MAIL, language=language)
    answers = [
        answer(decision(Action.REFER, "unproven", "paid"), mail=strange, entitled=True),
        answer(decision(Action.REFER, "unproven", "not_found"), mail=strange, entitled=False, invoice=None),
        answer(decision(Action.REFER, "not_entitled", "already_credited"), mail=proven, entitled=False),
        answer(decision(Action.REFER, "not_entitled", "not_found"), mail=proven, entitled=False, invoice=None),
        answer(decision(Action.REJECT, "not_found"), mail=proven, entitled=False, invoice=None, target="99999"),
        answer(decision(Action.REJECT, "not_found"), mail=strange, entitled=True, invoice=None),
        answer(decision(Action.REJECT, "already_credited"), mail=strange, entitled=True),
        answer(CANCEL, mail=strange, entitled=True),
        answer(CANCEL, mail=proven, entitled=False),
    ]
    assert len({message.as_bytes() for message in answers}) == 1
    whole = text(answers[0]) + answers[0]["Subject"]
    assert "10421" not in whole and "1250" not in whole and "Makulera" not in whole


def test_headers_of_an_automatic_answer() -> None:
    message = answer()
    assert (message["To"], message["From"]) == ("anna@kommun.se", "robot@kommun.se")
    assert message["Auto-Submitted"] == "auto-replied" and message["X-Auto-Response-Suppress"] == "All"
    assert message["In-Reply-To"] == message["References"] == "<a@b.se>" and message["X-Vardag-Item"] == "A7F3"
    assert re.fullmatch(r"<vardag\.[0-9a-f]{32}@kommun\.se>", message["Message-ID"])
    assert message["Message-ID"] == message_id("A7F3", "kommun.se") == answer()["Message-ID"]
    assert len({message_id(*key) for key in [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x", "received")]}) == 4
    assert answer(done=None)["Message-ID"] == message_id("A7F3", "kommun.se", "received")
    assert answer().as_bytes() == message.as_bytes()


@pytest.mark.parametrize("item", ["a\r\nBcc: v@x.se", "=?utf-8?q?=0D=0ABcc:_v?=", "å" * 300, "x" * 900])
def test_a_hostile_key_of_an_item_puts_nothing_into_the_headers(item: str) -> None:
    parsed = email.message_from_bytes(answer(item=item).as_bytes(), policy=default)
    assert sorted(parsed.keys()) == sorted(answer().keys())


def test_a_long_message_id_is_kept_whole() -> None:
    long = "x" * 150 + "@b.se"
    raw = answer(mail=replace(MAIL, message_id=f"<{long}>")).as_bytes().decode()
    assert f"In-Reply-To: <{long}>\r\n" in raw and "=?" not in raw.partition("Subject")[0]


@pytest.mark.parametrize(
    "subject",
    [
        "Hej\r\nBcc: victim@x.se",
        "Hej\nBcc: victim@x.se",
        "Hej\x00\x0bBcc: v",
        "Hej\u2028Bcc: v",
        "\u202ejeh",
        "x" * 5000,
        "å" * 5000,
        "=?utf-8?q?=0D=0ABcc:_v?=",
        "==?=?utf-8?q?=0D=0ABcc:_v?=",
        "=\x00?utf-8?q?=0D=0ABcc:_v?=",
        "",
        "Re: Sv: RE: ",
        "Sv: [SPAM] köp nu på http://x.example/a www.y.se",
    ],
)
def test_a_hostile_subject_puts_nothing_into_the_headers(subject: str) -> None:
    raw = answer(mail=replace(MAIL, subject=subject)).as_bytes()
    parsed = email.message_from_bytes(raw, policy=default)
    assert sorted(parsed.keys()) == sorted(answer().keys())
    assert len(parsed["Subject"]) <= 70 and "example" not in parsed["Subject"]
    assert all(len(line) <= 998 for line in raw.splitlines())


@pytest.mark.parametrize(
    "found",
    [
        "<a@b.se>\r\nBcc: v@x.se",
        "a b@c.se",
        "=?utf-8?q?=0D=0ABcc:_v?=@b.se",
        "no-at",
        "",
        "<" + "x" * 400 + "@b.se>",
        "å@b.se",
    ],
)
def test_a_hostile_message_id_is_left_out(found: str) -> None:
    message = answer(mail=replace(MAIL, message_id=found))
    assert message["In-Reply-To"] is None and message["References"] is None


@pytest.mark.parametrize(
    "address",
    [
        "a@b.se\r\nBcc: v@x.se",
        "a@b.se, v@x.se",
        "a@b.se;v@x.se",
        "<a@b.se>",
        "Anna <a@b.se>",
        '"a b"@b.se',
        "a@b@c.se",
        "",
        "a",
        "@b.se",
        "a@",
        "a@b..se",
        "=?utf-8?q?=0D=0ABcc:_v?=@b.se",
        "a@-b.se",
        "å@b.se",
        "a" * 65 + "@b.se",
        "MAILER-DAEMON@b.se",
        "no-reply@b.se",
        "noreply@b.se",
        "do_not_reply@b.se",
        "postmaster@b.se",
        "bounce+x=1@b.se",
        "list-request@b.se",
        "owner-list@b.se",
    ],
)
def test_no_answer_goes_to_a_machine_or_a_false_address(address: str) -> None:
    mail = replace(MAIL, sender=Sender(address, "x", True))
    assert not answerable(mail)
    with pytest.raises(BusinessError):
        answer(mail=mail)


def test_only_requests_are_answered() -> None:
    kinds = {kind for kind in MailKind if answerable(replace(MAIL, kind=kind))}
    assert kinds == {MailKind.REQUEST, MailKind.UNREADABLE}
    unproven = replace(MAIL, kind=MailKind.UNREADABLE, sender=replace(MAIL.sender, proven=False))
    assert not answerable(unproven)


def test_a_mails_own_words_are_not_sent_on() -> None:
    spam = "cheap pills call 0900"
    mail = replace(MAIL, sender=Sender("anna@kommun.se", spam, True), texts={"body": spam})
    missing = decision(Action.REJECT, "not_found")
    assert spam not in answer(missing, mail=mail, invoice=None, target=spam).as_string()
    assert "pills" not in text(answer(missing, mail=mail, invoice=None, target="pills-4-all.example"))
    assert "99999" in text(answer(missing, invoice=None, target="99999"))
    assert [number_of(value) for value in ("F-10421", "2026/17", "1 2", "{{ 7 }}", "1" * 31, "http")] == [
        "F-10421", "2026/17", "", "", "", "",
    ]  # fmt: skip
    assert subject_of("VB: Fwd: faktura till a@b.se") == "faktura till"


def test_the_packaged_templates_are_complete_and_good() -> None:
    assert check_templates() == []
    names = {path.relative_to(PACKAGED).as_posix() for path in PACKAGED.rglob("*.txt")}
    assert names == {f"{language}/{name}.txt" for language in ("sv", "en") for name in NAMES}
    used = "".join(path.read_text(encoding="utf-8") for path in PACKAGED.rglob("*.txt"))
    assert [field for field in FIELDS if field not in used] == []


def test_a_citys_own_template_goes_before_the_packaged_file_by_file(tmp_path: Path) -> None:
    write(tmp_path, "sv/cancelled_credit.txt", "Klart: {{ number }}\nHej! {{ credit_note }} är klar.\n")
    own = answer(templates=tmp_path)
    assert own["Subject"] == "Klart: 10421" and text(own).startswith("Hej! 90017 är klar.\n\n-- \n")
    english = replace(MAIL, language="en")
    assert text(answer(templates=tmp_path, mail=english)) == text(answer(mail=english))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (
            "sv/referred.txt",
            "Sv: x\n\n{{ nummer }}\n",
            "sv/referred.txt, line 3: there is no field nummer. Known: amount,",
        ),
        ("sv/referred.txt", "Sv: x\n{% if number %}\n", "sv/referred.txt, line 2: cannot be read as a template"),
        ("sv/referred.txt", "Sv: x\n{{ number | money }}\n", "line 2: cannot be read as a template: No filter"),
        ("sv/referred.txt", "Sv: x\n{{ number.owner.name }}\n", "cannot be filled in"),
        ("sv/referred.txt", "Sv: x\n{{ ''.__class__.__mro__ }}\n", "cannot be filled in"),
        ("sv/referred.txt", "Sv: x\n{{ 1 / 0 }}\n", "cannot be filled in"),
        ("sv/referred.txt", "Sv: x\n{% include 'x' %}\n", "cannot be filled in"),
        ("sv/referred.txt", "{{ subject }}\n", "line 1: needs a first line"),
        ("sv/referred.txt", "", "line 1: needs a first line"),
        ("sv/refered.txt", "Sv: x\ny\n", "sv/refered.txt: is no template. Known: sv/already_credited.txt"),
        ("fi/referred.txt", "x\ny\n", "fi/referred.txt: is no template"),
        ("sv/referred.txt", b"Sv: x\nf\xf6r\n", "is not UTF-8"),
    ],
)
def test_a_broken_template_is_found_with_its_file_line_and_field(
    tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    write(tmp_path, name, content)
    (problem,) = check_templates(tmp_path)
    assert says in str(problem)
    assert problem.field == ("nummer" if "nummer" in str(content) else "")


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "is no folder" in str(check_templates(tmp_path / "none")[0])


def test_a_broken_template_stops_the_answer_with_its_name(tmp_path: Path) -> None:
    write(tmp_path, "sv/cancelled_credit.txt", "x\n{{ nummer }}")
    with pytest.raises(BusinessError, match=r"sv/cancelled_credit\.txt cannot be used"):
        answer(templates=tmp_path)


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
