"""A mailbox in Microsoft 365, by Microsoft Graph v1.0 as published.

The application works in its own name (client credentials) in one mailbox. Immutable ids are asked for throughout,
so that a mail keeps its handle wherever it is moved.
"""

import logging
import time
from base64 import encodebytes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import quote

from vardag.core.net import Patience
from vardag.core.oauth import ClientCredentials, LoginError, Secret
from vardag.core.rest import NoError, Rest, Tokens, UnansweredError
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError

ADDRESS = "https://graph.microsoft.com/v1.0"
LOGIN = "https://login.microsoftonline.com"
SCOPE = "https://graph.microsoft.com/.default"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SIZE = "Long 0x0E08"  # PidTagMessageSize (MS-OXPROPS): the message resource has no size of its own
PARENT = "/parent"
ACCEPTED = 202
MOST_HEAD = 262_144  # bytes looked through for the end of a header
NAMES = {
    Folder.DONE: "Done",
    Folder.REFERRED: "Referred",
    Folder.FAILED: "Failed",
    Folder.IGNORED: "Ignored",
}

_log = logging.getLogger(__name__)


def application(tenant: str, client_id: str, secret: Secret, *, login: str = LOGIN, **others: Any) -> Tokens:
    """Tokens of an application registered in the city's tenant."""
    url = f"{login}/{quote(tenant, safe='')}/oauth2/v2.0/token"
    return ClientCredentials(url, client_id=client_id, secret=secret, scope=SCOPE, **others)


class GraphMailbox:
    """One mailbox.

    Parameters
    ----------
    address
        The mailbox's address (user principal name).
    tokens
        `application`.
    parent, names
        Folder at the top of the mailbox that holds the robot's folders, and what they are called. Sent answers lie
        in the mailbox's own Sent Items, where the service puts them.
    page_rows
        Mails asked for at a time, 1 to 1000.
    step_s
        Seconds between looks at the inbox while waiting.

    Notes
    -----
    The service keeps a copy of every sent mail, which is the robot's copy: `has` finds it there. It may appear some
    time after the mail was accepted.
    """

    name = "graph"

    def __init__(
        self,
        address: str,
        tokens: Tokens,
        *,
        url: str = ADDRESS,
        parent: str = "Vardag",
        names: Mapping[Folder, str] = NAMES,
        page_rows: int = 100,
        step_s: float = 5.0,
        offline: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self.address = address
        self._parent, self._names = parent, {**NAMES, **names}
        self._page_rows, self._step_s = page_rows, step_s
        self._user = f"/users/{quote(address, safe='@')}"
        self._rest = Rest(
            url, about=self.name, tokens=tokens, headers=IMMUTABLE, offline=offline, patience=patience
        )
        self._ids: dict[str, str] = {}  # of folders, by display name; others begin with a stroke
        self._seen: set[str] = set()  # mails that lay in the inbox when it was last listed

    def __repr__(self) -> str:
        return f"<GraphMailbox {self._rest!r}>"

    def waiting(self) -> Iterator[Waiting]:
        """Mails in the inbox, oldest first.

        All pages are read before the first mail is given out: pages are counted from the top, and would shift as
        mails are moved away.
        """
        with _told():
            found = list(self._inbox("receivedDateTime asc", self._page_rows))
        self._seen = {str(row["id"]) for row in found}
        for row in found:
            yield Waiting(str(row["id"]), _size(row), _bare(row.get("internetMessageId") or ""))

    def fetch(self, mail: Waiting, *, most: int) -> bytes:
        """The mail as MIME; only its header where the MIME is larger than `most` bytes."""
        path = f"{self._user}/messages/{quote(mail.id, safe='')}/$value"
        content = bytearray()
        with _told(), self._rest.stream("GET", path, headers={"Accept": "*/*"}) as response:
            if "html" in response.headers.get("content-type", ""):  # a page from something in between
                raise UnansweredError("graph: a page came instead of the mail.")
            for part in response.iter_bytes():
                content += part
                if len(content) > most and (_head(content) or len(content) > most + MOST_HEAD):
                    break  # the rest is not fetched
        return bytes(content) if len(content) <= most else _head(content) or bytes(content[:most])

    def file(self, mail: Waiting, folder: Folder) -> None:
        """Move a mail out of the inbox; one that lies elsewhere by now stays there."""
        with _told():
            if not self._in_inbox(mail):
                return
            path = f"{self._user}/messages/{quote(mail.id, safe='')}/move"
            try:
                moved = self._rest.json("POST", path, json={"destinationId": self._place(folder)})
                if moved["parentFolderId"] != self._place(folder):
                    raise UnansweredError("graph: a mail was moved to another folder than was asked for.")
            except NoError:
                self._ids.clear()  # somebody may have removed the folder: look again next time
                if self._in_inbox(mail):
                    raise

    def send(self, message: EmailMessage) -> None:
        """Send as MIME; the service keeps a copy in Sent Items."""
        content = encodebytes(message.as_bytes(policy=SMTP))
        asked: dict[str, Any] = {"content": content, "headers": {"Content-Type": "text/plain"}}
        with _told(), self._rest.stream("POST", f"{self._user}/sendMail", **asked) as response:
            if response.status_code != ACCEPTED:  # a page from something in between answers 200
                raise UnansweredError(f"graph: sendMail answers {response.status_code}, expected {ACCEPTED}.")

    def has(self, message_id: str) -> bool:
        """Whether a message with this id lies in the inbox, in Sent Items or in one of the robot's folders."""
        wanted = f"<{_bare(message_id)}>".replace("'", "''")
        asked = {"$filter": f"internetMessageId eq '{wanted}'", "$select": "id,parentFolderId"}
        with _told():
            found = {str(row["parentFolderId"]) for row in self._all(f"{self._user}/messages", asked)}
            return bool(found & self._places()) if found else False

    def wait(self, seconds: float) -> None:
        """Look at the inbox every few seconds until a mail lies there that the last listing did not give."""
        until = time.monotonic() + seconds
        while not self._anything_new():
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(self._step_s, left))

    def check(self) -> Sequence[str]:
        """Read the inbox and make the robot's folders; whether it may send shows only when it does."""
        try:
            with _told():
                list(self._page("receivedDateTime desc", 1)[0])
                for folder in Folder:
                    self._place(folder)
        except ApplicationError as error:
            return [f"{error} The application needs Mail.ReadWrite and Mail.Send for {self.address}."]
        return []

    # Mails

    def _inbox(self, order: str, rows: int) -> Iterator[Mapping[str, Any]]:
        page, link = self._page(order, rows)
        yield from page
        if link:
            yield from self._all(link, None)

    def _page(self, order: str, rows: int) -> tuple[list[Mapping[str, Any]], str]:
        """The first page of the inbox, and the link to the next."""
        asked = {
            "$select": "id,internetMessageId",
            "$orderby": order,
            "$top": rows,
            "$expand": f"singleValueExtendedProperties($filter=id eq '{SIZE}')",
        }
        return _rows(self._rest.json("GET", f"{self._user}/mailFolders/inbox/messages", params=asked))

    def _all(self, path: str, asked: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
        """Rows of all pages; the service's own link leads from one to the next."""
        link, followed = path, set()
        while link:
            if link in followed:
                raise UnansweredError("graph: the pages lead round in a circle.")
            followed.add(link)
            page, link = _rows(self._rest.json("GET", link, params=asked))
            asked = None
            yield from page

    def _in_inbox(self, mail: Waiting) -> bool:
        path = f"{self._user}/messages/{quote(mail.id, safe='')}"
        try:
            row = self._rest.json("GET", path, params={"$select": "id,parentFolderId"})
        except NoError as error:
            if error.status == 404 and _code(error):
                return False
            raise
        return bool(row["parentFolderId"] == self._well_known("inbox"))

    def _anything_new(self) -> bool:
        try:
            page, _ = self._page("receivedDateTime desc", min(self._page_rows, 25))
        except (UnansweredError, LoginError) as error:
            _log.warning("waiting: %s", error)  # the next look, or the next listing, tells whether it lasts
            return False
        except NoError as error:
            raise ApplicationError(_said(error)) from None
        return any(str(row["id"]) not in self._seen for row in page)

    # Folders

    def _place(self, folder: Folder) -> str:
        """Id of a folder, which is made where it is missing."""
        if folder is Folder.SENT:
            return self._well_known("sentitems")
        name = self._names[folder]
        if name not in self._ids:
            self._look()
        if name not in self._ids:
            if PARENT not in self._ids:
                self._ids[PARENT] = self._make(f"{self._user}/mailFolders", self._parent)
            self._ids[name] = self._make(self._below(), name)
        return self._ids[name]

    def _places(self) -> set[str]:
        """Ids of the folders that are there, without making any."""
        if not all(name in self._ids for name in self._names.values()):
            self._look()
        mine = {self._ids[name] for name in self._names.values() if name in self._ids}
        return mine | {self._well_known("inbox"), self._well_known("sentitems")}

    def _look(self) -> None:
        """Learn the ids of the robot's folders."""
        top = self._folders(f"{self._user}/mailFolders")
        if self._parent.casefold() not in top:
            return
        self._ids[PARENT] = top[self._parent.casefold()]
        below = self._folders(self._below())
        self._ids |= {name: below[name.casefold()] for name in self._names.values() if name.casefold() in below}

    def _below(self) -> str:
        return f"{self._user}/mailFolders/{quote(self._ids[PARENT], safe='')}/childFolders"

    def _folders(self, path: str) -> dict[str, str]:
        asked = {"$select": "id,displayName", "$top": 100}
        return {str(row["displayName"]).casefold(): str(row["id"]) for row in self._all(path, asked)}

    def _make(self, path: str, name: str) -> str:
        try:
            return str(self._rest.json("POST", path, json={"displayName": name})["id"])
        except NoError as error:
            if _code(error) != "ErrorFolderExists":
                raise
            return self._folders(path)[name.casefold()]  # made by somebody else, or by an answer that was lost

    def _well_known(self, name: str) -> str:
        key = f"/{name}"
        if key not in self._ids:
            answer = self._rest.json("GET", f"{self._user}/mailFolders/{name}", params={"$select": "id"})
            self._ids[key] = str(answer["id"])
        return self._ids[key]


def _rows(answer: Any) -> tuple[list[Mapping[str, Any]], str]:
    """Rows of a page, and the link to the next; empty where it is the last."""
    rows = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("id") for row in rows):
        raise UnansweredError("graph: a page without 'value', or a row without 'id'.")
    return rows, str(answer.get("@odata.nextLink") or "")


def _size(row: Mapping[str, Any]) -> int:
    """Bytes as the mail store counts them; 0 where it does not say."""
    values = row.get("singleValueExtendedProperties") or [{}]
    said = str(values[0].get("value", ""))
    return int(said) if said.isdigit() else 0


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _head(content: bytes | bytearray) -> bytes:
    """The header with the empty line that ends it; empty where that has not come yet."""
    for end in (b"\r\n\r\n", b"\n\n"):
        if (at := content.find(end)) >= 0:
            return bytes(content[: at + len(end)])
    return b""


def _code(error: NoError) -> str:
    """Graph's own error code; empty where the answer comes from something in between."""
    inner = error.body.get("error") if isinstance(error.body, dict) else None
    return str(inner.get("code", "")) if isinstance(inner, dict) else ""


def _said(error: NoError) -> str:
    if not _code(error):
        return str(error)
    return f"graph: {error.body['error'].get('message', 'no message')} ({_code(error)})"


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the service in the routine's words."""
    try:
        yield
    except (UnansweredError, LoginError) as error:
        raise ApplicationError(str(error)) from None
    except NoError as error:
        raise ApplicationError(_said(error)) from None
    except (KeyError, TypeError, AttributeError):
        raise ApplicationError("graph: an answer of another shape than is published.") from None
