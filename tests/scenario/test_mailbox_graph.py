"""A mailbox behind Microsoft Graph, against a stand-in that validates what it is asked."""

import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from threading import Timer

import pytest

from servers.api import Fault
from servers.graph import USER, Office, graph
from servers.tokens import CLIENT, SECRET
from servers.web import Answer
from vardag.core.errors import RefusedError
from vardag.core.net import Patience
from vardag.core.rest import Tokens
from vardag.invoices.mailbox.graph import GraphMailbox, application
from vardag.invoices.mailbox.port import Folder, Mailbox, Waiting
from vardag.invoices.model import ApplicationError

QUICK = Patience(tries=2, backoff_s=0.01, timeout_s=0.6, wait_limit_s=1)


def mail(number: int, size: int = 0, text: str = "Makulera faktura 1001.") -> bytes:
    head = f"Message-ID: <m{number}@kund.example>\r\nFrom: kund@kund.example\r\nTo: {USER}\r\nSubject: Faktura\r\n"
    return f"{head}\r\n{text}{'x' * size}\r\n".encode()


def answer(message_id: str = "<svar-1@ytterby.example>") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"], message["From"], message["To"] = message_id, USER, "kund@kund.example"
    message["Subject"] = "Fakturan är krediterad"
    message.set_content("Hej! Åtgärdat.")
    return message


def tokens(office: Office) -> Tokens:
    assert office.api is not None
    return application("ytterby.example", CLIENT, lambda: SECRET, login=office.api.url, patience=QUICK)


def mailbox(office: Office, **others: object) -> GraphMailbox:
    options = {"page_rows": 3, "step_s": 0.05, "patience": QUICK} | others
    return GraphMailbox(USER, tokens(office), url=office.url, **options)  # type: ignore[arg-type]


@pytest.fixture
def office() -> Iterator[Office]:
    with graph(Office()) as running:
        yield running


def first(box: GraphMailbox) -> Waiting:
    return next(box.waiting())


def test_it_is_a_mailbox(office: Office) -> None:
    box: Mailbox = mailbox(office)
    assert (box.name, box.address, list(box.waiting())) == ("graph", USER, [])


def test_three_pages_come_oldest_first_and_filing_meanwhile_loses_none(office: Office) -> None:
    for number in range(1, 9):
        office.deliver(mail(number, size=number))
    box = mailbox(office)
    seen = []
    for waiting in box.waiting():
        seen.append((waiting.message_id, waiting.size))
        box.file(waiting, Folder.DONE)
    assert seen == [(f"m{number}@kund.example", len(mail(number, size=number))) for number in range(1, 9)]
    assert office.lying() == {"Done": [f"<m{number}@kund.example>" for number in range(1, 9)]}
    assert office.api is not None
    listings = [call for call in office.api.calls if call.path.endswith("inbox/messages")]
    assert [call.query.get("$skip") for call in listings] == [None, "3", "6"]


def test_a_mail_comes_as_it_came_and_of_a_large_one_only_the_header(office: Office) -> None:
    office.deliver(mail(1))
    office.deliver(mail(2, size=500_000))
    office.deliver(b"Subject: no id\n\nShort")
    box = mailbox(office)
    small, large, bare = box.waiting()
    assert box.fetch(small, most=1000) == mail(1)
    head = box.fetch(large, most=1000)
    assert (
        head.endswith(b"Subject: Faktura\r\n\r\n") and message_from_bytes(head)["Message-ID"] == "<m2@kund.example>"
    )
    assert (bare.message_id, box.fetch(bare, most=10)) == ("", b"Subject: no id\n\n")
    assert box.fetch(large, most=1_000_000) == mail(2, size=500_000)


def test_a_size_that_is_not_told_is_none(office: Office) -> None:
    office.sizes = False
    office.deliver(mail(1))
    assert first(mailbox(office)).size == 0


def test_filing_again_leaves_a_mail_where_it_lies(office: Office) -> None:
    office.deliver(mail(1))
    box = mailbox(office)
    waiting = first(box)
    box.file(waiting, Folder.REFERRED)
    box.file(waiting, Folder.FAILED)
    mailbox(office).file(waiting, Folder.DONE)
    assert office.lying() == {"Referred": ["<m1@kund.example>"]}
    assert box.fetch(waiting, most=1000) == mail(1)  # the handle holds wherever the mail lies
    office.mails.clear()
    box.file(waiting, Folder.DONE)


def test_every_folder_is_made_once_within_the_robots_own(office: Office) -> None:
    for number, folder in enumerate(Folder):
        office.deliver(mail(number))
        mailbox(office).file(first(mailbox(office)), folder)
    (vardag,) = (key for key, (name, _) in office.folders.items() if name == "Vardag")
    below = {name for name, parent in office.folders.values() if parent == vardag}
    assert below == {"Done", "Referred", "Failed", "Ignored"}
    assert len(office.folders) == 4 + 1 + 4
    assert "Sentitems" in office.lying()


def test_a_folder_that_somebody_removed_is_made_again(office: Office) -> None:
    office.deliver(mail(1))
    box = mailbox(office)
    box.check()
    office.folders = {key: kept for key, kept in office.folders.items() if kept[0] != "Done"}
    waiting = first(box)
    with pytest.raises(ApplicationError, match="folder could not be found"):
        box.file(waiting, Folder.DONE)
    box.file(waiting, Folder.DONE)
    assert list(office.lying()) == ["Done"]


def test_more_folders_than_a_page_holds(office: Office) -> None:
    office.folders |= {f"F{number}": (f"Mapp {number}", "AAMkroot=") for number in range(250)}
    office.deliver(mail(1))
    mailbox(office).check()
    count = len(office.folders)
    mailbox(office).file(first(mailbox(office)), Folder.DONE)
    assert len(office.folders) == count and list(office.lying()) == ["Done"]


def test_an_answer_goes_as_it_was_written_and_its_copy_is_found(office: Office) -> None:
    box = mailbox(office)
    assert not box.has("svar-1@ytterby.example")
    box.send(answer())
    sent = message_from_bytes(office.sent[0])
    assert (sent["Message-ID"], sent["To"]) == ("<svar-1@ytterby.example>", "kund@kund.example")
    assert box.has("svar-1@ytterby.example") and box.has("<svar-1@ytterby.example>")
    assert not box.has("svar-2@ytterby.example")


def test_mails_in_the_robots_folders_are_known_and_those_thrown_away_are_not(office: Office) -> None:
    office.deliver(mail(1))
    office.deliver(mail(2), "deleteditems")
    office.deliver(b"Message-ID: <o'hara@kund.example>\r\n\r\n")
    box = mailbox(office)
    assert box.has("m1@kund.example") and box.has("o'hara@kund.example") and not box.has("m2@kund.example")
    box.file(first(box), Folder.IGNORED)
    assert mailbox(office).has("m1@kund.example")
    assert [name for name, _ in office.folders.values()].count("Vardag") == 1


@pytest.mark.parametrize("kind", ["html", "proxy", "cut", "slow", "gone", "down", "error"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_fault_while_filing_is_told_and_the_mail_is_filed_once(office: Office, kind: str, after: bool) -> None:
    office.deliver(mail(1))
    box = mailbox(office)
    box.check()
    waiting = first(box)
    assert office.api is not None
    office.api.faults.append(Fault(kind, method="POST", ends="/move", after=after))
    if kind == "proxy" and after:
        box.file(waiting, Folder.DONE)  # refused, they say; but the mail is seen to have gone
    else:
        with pytest.raises(ApplicationError, match="graph: "):
            box.file(waiting, Folder.DONE)
    assert office.lying() == {"Done" if after else "Inbox": ["<m1@kund.example>"]}
    box.file(waiting, Folder.DONE)
    box.file(waiting, Folder.FAILED)
    assert office.lying() == {"Done": ["<m1@kund.example>"]}


@pytest.mark.parametrize("kind", ["html", "slow", "gone", "down", "error", "proxy"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whether_an_answer_has_gone_can_be_seen_after_a_fault(office: Office, kind: str, after: bool) -> None:
    box = mailbox(office)
    assert office.api is not None
    office.api.faults.append(Fault(kind, method="POST", ends="/sendMail", after=after))
    with pytest.raises(ApplicationError, match="graph: "):
        box.send(answer())
    assert box.has("svar-1@ytterby.example") is after
    if not after:
        box.send(answer())
    assert len(office.sent) == 1


def test_throttling_is_waited_for_and_reads_are_tried_again(office: Office) -> None:
    office.deliver(mail(1))
    assert office.api is not None
    office.api.faults += [Fault("busy", method="POST", ends=end) for end in ("/move", "/sendMail", "/mailFolders")]
    office.api.faults += [Fault("down", method="GET", ends=end) for end in ("/messages", "/$value")]
    box = mailbox(office)
    waiting = first(box)
    assert box.fetch(waiting, most=1000) == mail(1)
    box.file(waiting, Folder.DONE)
    box.send(answer())
    assert len(office.sent) == 1 and "Done" in office.lying()
    office.api.faults.append(Fault("busy", method="GET", times=9))
    with pytest.raises(ApplicationError, match="429"):
        first(box)


def test_a_mail_that_breaks_off_is_not_taken_for_a_whole_one(office: Office) -> None:
    office.deliver(mail(1, size=5000))
    box = mailbox(office)
    waiting = first(box)
    assert office.api is not None
    for kind, words in (("cut", "did not answer to the end"), ("html", "a page came instead"), ("error", "500")):
        office.api.faults.append(Fault(kind, method="GET", ends="/$value", after=True))
        with pytest.raises(ApplicationError, match=words):
            box.fetch(waiting, most=10_000)
    assert box.fetch(waiting, most=10_000) == mail(1, size=5000)


def test_a_refused_answer_is_told_in_the_services_words(office: Office) -> None:
    message = answer()
    del message["To"]
    with pytest.raises(ApplicationError, match=r"recipient isn't valid. \(ErrorInvalidRecipients\)"):
        mailbox(office).send(message)


def test_waiting_ends_when_something_new_comes(office: Office) -> None:
    office.deliver(mail(1))
    box = mailbox(office)
    box.wait(5)  # never listed: there is a mail
    list(box.waiting())
    started = time.monotonic()
    box.wait(0.2)
    assert time.monotonic() - started >= 0.2
    timer = Timer(0.1, office.deliver, [mail(2)])
    timer.start()
    assert office.api is not None
    office.api.faults.append(Fault("gone", method="GET", times=3))
    box.wait(30)
    timer.join()
    assert time.monotonic() - started < 10
    office.denied = True
    with pytest.raises(ApplicationError, match="ErrorAccessDenied"):
        box.wait(1)


# Log-in


def test_tokens_that_end_midway_are_renewed(office: Office) -> None:
    office.tokens.calls = 2
    for number in range(1, 9):
        office.deliver(mail(number))
    box = mailbox(office)
    for waiting in box.waiting():
        box.file(waiting, Folder.DONE)
    assert len(office.lying()["Done"]) == 8 and len(office.tokens.grants) > 8


def test_check_says_what_is_missing(office: Office) -> None:
    assert mailbox(office).check() == []
    office.denied = True
    (missing,) = mailbox(office).check()
    assert "Access is denied" in missing and "Mail.ReadWrite and Mail.Send for faktura@ytterby.example" in missing
    assert office.api is not None
    wrong = application("ytterby.example", CLIENT, lambda: "fel-hemlighet", login=office.api.url, patience=QUICK)
    (missing,) = GraphMailbox(USER, wrong, url=office.url, patience=QUICK).check()
    assert "invalid_client" in missing and "fel-hemlighet" not in missing
    (missing,) = GraphMailbox("nobody@ytterby.example", tokens(office), url=office.url, patience=QUICK).check()
    assert "ErrorInvalidUser" in missing


def test_no_secret_in_words_logs_or_repr(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    office.deliver(mail(1))
    box = mailbox(office)
    box.file(first(box), Folder.DONE)
    box.send(answer())
    said = f"{caplog.text} {box!r} {vars(box)}"
    for secret in (SECRET, *office.tokens.given):
        assert secret not in said


def test_offline_nothing_is_called(office: Office) -> None:
    with pytest.raises(RefusedError, match="offline"):
        first(mailbox(office, offline=True))


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b'{"value": [1]}', b'{"value": [{}]}', b"\xff\xfe"])
def test_an_answer_of_another_shape_is_no_answer(office: Office, body: bytes) -> None:
    box = mailbox(office)
    assert office.api is not None
    office.api._answer = lambda call: office.tokens.answer(call) if "oauth2" in call.path else Answer(body)
    with pytest.raises(ApplicationError, match="graph: "):
        first(box)
    with pytest.raises(ApplicationError, match="graph: "):
        box.file(Waiting("1", 1, ""), Folder.DONE)
    with pytest.raises(ApplicationError, match="graph: "):
        box.send(answer())


def test_pages_that_lead_round_in_a_circle_end(office: Office) -> None:
    assert office.api is not None
    round_about = Answer(f'{{"value": [], "@odata.nextLink": "{office.url}/users/{USER}/round"}}'.encode())
    office.api._answer = lambda call: office.tokens.answer(call) if "oauth2" in call.path else round_about
    with pytest.raises(ApplicationError, match="round in a circle"):
        first(mailbox(office))
