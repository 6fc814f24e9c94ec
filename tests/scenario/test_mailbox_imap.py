"""The mailbox for real: Dovecot and an SMTP server on loopback, with TLS, by password and by OAuth 2.0 token."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from imapclient import IMAPClient

from servers.mail import require_dovecot
from vardag.core.errors import RefusedError
from vardag.demo.post.certificate import certificate
from vardag.demo.post.dovecot import dovecot
from vardag.demo.post.maildir import maildir
from vardag.demo.post.ports import LOOPBACK, free_port
from vardag.demo.post.servers import Post, post, pymap
from vardag.demo.post.smtp import smtp_server
from vardag.invoices.mailbox.imap import ImapMailbox, Login, Server
from vardag.invoices.mailbox.port import Folder
from vardag.invoices.model import ApplicationError

ADDRESS = "fakturor@kommun.example"
FOLDERS = {Folder.REFERRED: "Vardag/Till handläggare"}
NAMES = {folder: FOLDERS.get(folder, f"Vardag/{folder}") for folder in Folder}
KEY = b"a key that the test makes and nobody else has"


@pytest.fixture
def servers() -> Iterator[Post]:
    require_dovecot()
    with post(ADDRESS) as made:
        yield made


OPEN: list[ImapMailbox] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def mailbox(
    servers: Post, *, secret: str = "", user: str = ADDRESS, oauth: bool = False, trust: str = ""
) -> ImapMailbox:
    word = secret or servers.password
    made = ImapMailbox(
        ADDRESS,
        Server(LOOPBACK, servers.imap_port, "starttls"),
        Server(LOOPBACK, servers.smtp_port, "starttls"),
        Login(user, lambda: word, oauth),
        folders=NAMES,
        trust=trust or str(servers.certificate),
    )
    OPEN.append(made)
    return made


def mail(number: int, text: str = "Makulera faktura 1234567.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@kund.example", ADDRESS, f"Mejl {number} åäö"
    message["Message-ID"] = f"<{number}@kund.example>"
    message.set_content(text)
    return message.as_bytes()


def answer(number: int = 1, to: str = "anna@kund.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, to, "Svar"
    message["Message-ID"] = f"<answer{number}@kommun.example>"
    message.set_content("Fakturan är krediterad. åäö")
    return message


def test_a_mail_is_seen_fetched_and_filed(servers: Post) -> None:
    box = mailbox(servers)
    servers.deliver(mail(1))
    servers.deliver(mail(2))
    assert box.check() == []
    first, second = box.waiting()
    assert (first.message_id, second.message_id) == ("1@kund.example", "2@kund.example")
    raw = box.fetch(first, most=10_000)
    assert message_from_bytes(raw)["Message-ID"] == "<1@kund.example>"
    assert len(raw) == first.size
    assert b"Makulera" not in box.fetch(first, most=100)
    box.file(first, Folder.REFERRED)
    assert [one.message_id for one in box.waiting()] == ["2@kund.example"]
    assert box.has("1@kund.example")


def test_fetching_leaves_the_mail_unread(servers: Post) -> None:
    box = mailbox(servers)
    servers.deliver(mail(1))
    (one,) = box.waiting()
    box.fetch(one, most=10_000)
    with looking(servers) as client:
        client.select_folder("INBOX")
        assert client.search("UNSEEN")


def test_filing_again_and_elsewhere_moves_and_never_copies(servers: Post) -> None:
    box = mailbox(servers)
    servers.deliver(mail(1))
    (one,) = box.waiting()
    for folder in (Folder.REFERRED, Folder.REFERRED, Folder.DONE, Folder.DONE):
        box.file(one, folder)
        assert copies(servers) == {NAMES[folder]: 1}


def test_a_handle_from_before_the_server_numbered_anew_fits_no_mail(servers: Post) -> None:
    box = mailbox(servers)
    servers.deliver(mail(1))
    (one,) = box.waiting()
    old = type(one)("1:" + one.id.partition(":")[2], one.size, one.message_id)
    with pytest.raises(ApplicationError, match="no longer in the inbox"):
        box.fetch(old, most=10_000)
    box.file(old, Folder.DONE)  # found by its Message-ID
    assert copies(servers) == {NAMES[Folder.DONE]: 1}


def test_an_answer_goes_out_and_a_copy_comes_back(servers: Post) -> None:
    box = mailbox(servers)
    assert not box.has("answer1@kommun.example")
    box.send(answer())
    assert box.has("answer1@kommun.example")
    (raw,) = servers.received("anna@kund.example")
    text = message_from_bytes(raw, policy=default).get_content()
    assert text.strip() == "Fakturan är krediterad. åäö"


def test_waiting_ends_when_a_mail_comes(servers: Post) -> None:
    box = mailbox(servers)
    list(box.waiting())
    threading.Timer(0.5, lambda: servers.deliver(mail(1))).start()
    begun = time.monotonic()
    box.wait(30)
    assert time.monotonic() - begun < 20
    assert len(list(box.waiting())) == 1


def test_a_wrong_password_is_a_fault_without_the_password(servers: Post) -> None:
    box = mailbox(servers, secret="fel-hemlighet")
    with pytest.raises(ApplicationError, match="LoginError") as error:
        list(box.waiting())
    assert "hemlighet" not in str(error.value)
    assert len(box.check()) == 2


def test_a_certificate_that_nobody_vouches_for_is_refused(servers: Post, tmp_path: Path) -> None:
    box = mailbox(servers, trust=str(certificate(tmp_path)))
    with pytest.raises(ApplicationError, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
        list(box.waiting())


def test_no_password_goes_out_without_tls() -> None:
    with pytest.raises(RefusedError, match="no password is sent without TLS"):
        ImapMailbox(
            ADDRESS, Server("imap.kommun.example", 143, "none"), Server("127.0.0.1", 25, "none"),
            Login(ADDRESS, lambda: "x"), folders=NAMES,
        )  # fmt: skip


def test_a_connection_that_was_lost_is_made_again(servers: Post) -> None:
    box = mailbox(servers)
    servers.deliver(mail(1))
    list(box.waiting())
    assert box._client
    box._client.shutdown()
    with pytest.raises(ApplicationError):
        list(box.waiting())
    assert len(list(box.waiting())) == 1


def test_it_works_with_an_oauth_token_too() -> None:
    program = require_dovecot()
    token = signed({"sub": ADDRESS, "exp": int(time.time()) + 600, "iat": int(time.time()) - 10})
    with TemporaryDirectory(prefix="vardag-oauth-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        mails, pem, imap, smtp = folder / "mail", certificate(folder), free_port(), free_port()
        maildir(mails, ADDRESS)
        key = base64.b64encode(KEY).decode()
        with (
            dovecot(program, folder, mails, imap, {}, certificate=pem, token_key=key),
            smtp_server(smtp, mails, ADDRESS, token, certificate=pem),
        ):
            servers = Post(ADDRESS, token, imap, smtp, mails, pem, "dovecot")
            box = mailbox(servers, oauth=True)
            servers.deliver(mail(1))
            assert box.check() == []
            assert len(list(box.waiting())) == 1
            box.send(answer())
            assert box.has("answer1@kommun.example")
            forged = mailbox(servers, secret=token[:-4] + "AAAA", oauth=True)
            with pytest.raises(ApplicationError):
                list(forged.waiting())
            assert len(forged.check()) == 2


def test_pymap_serves_where_dovecot_is_not_installed() -> None:
    with TemporaryDirectory(prefix="vardag-pymap-") as made:
        folder = Path(made)
        mails, pem, imap, smtp = folder / "mail", certificate(folder), free_port(), free_port()
        maildir(mails, ADDRESS)
        with pymap(mails, imap, ADDRESS, "ord", pem), smtp_server(smtp, mails, ADDRESS, "ord", certificate=pem):
            servers = Post(ADDRESS, "ord", imap, smtp, mails, pem, "pymap")
            box = mailbox(servers)
            servers.deliver(mail(1))
            (one,) = box.waiting()
            box.file(one, Folder.DONE)
            box.send(answer())
            assert box.has("1@kund.example")
            assert box.has("answer1@kommun.example")


@contextmanager
def looking(servers: Post) -> Iterator[IMAPClient]:
    """Another client that looks into the mailbox."""
    with IMAPClient(LOOPBACK, servers.imap_port, ssl=False) as client:
        client.starttls(mailbox(servers)._tls)
        client.login(ADDRESS, servers.password)
        yield client


def copies(servers: Post) -> dict[str, int]:
    """How many mails lie in each folder that holds any."""
    with looking(servers) as client:
        unreal = {b"\\noselect", b"\\nonexistent"}
        names = [name for flags, _, name in client.list_folders() if not unreal & {flag.lower() for flag in flags}]
        counts = {name: client.select_folder(name, readonly=True)[b"EXISTS"] for name in names}
    return {name.replace(".", "/"): count for name, count in counts.items() if count}


def signed(claims: dict[str, object]) -> str:
    """A JSON web token (RFC 7519) signed with the key."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{text}.{part(hmac.digest(KEY, text.encode(), hashlib.sha256))}"
