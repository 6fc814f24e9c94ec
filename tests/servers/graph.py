"""A stand-in for a mailbox behind Microsoft Graph v1.0, after the published reference.

That is https://learn.microsoft.com/graph/api as read on 2026-11-26: list messages, message: move, user: sendMail,
create and list mailFolder and childFolders, MIME content, extended properties, immutable ids, errors, throttling.
Ids change with every move unless immutable ones are asked for.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import quote, unquote

from servers.api import Api, Call, running
from servers.tokens import TokenEndpoint
from servers.web import Answer

USER = "faktura@ytterby.example"
WELL_KNOWN = ("inbox", "sentitems", "drafts", "deleteditems")
MESSAGE = {"id", "internetMessageId", "parentFolderId", "receivedDateTime", "subject", "isRead"}
FOLDER = {"id", "displayName", "parentFolderId", "childFolderCount", "totalItemCount"}
SIZE = re.compile(r"singleValueExtendedProperties\(\$filter=id eq 'Long 0x0E08'\)")


class NoError(Exception):
    """Status, code and message of an error."""


@dataclass
class Mail:
    number: int
    mime: bytes
    folder: str
    moves: int = 0

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.mime)["Message-ID"] or "")


@dataclass
class Office:
    """One mailbox; change it while it serves.

    Attributes
    ----------
    folders
        Display name and parent of each folder, by id.
    """

    mails: list[Mail] = field(default_factory=list)
    folders: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {f"AAMk{name}=": (name.title(), "AAMkroot=") for name in WELL_KNOWN}
    )
    tokens: TokenEndpoint = field(default_factory=lambda: TokenEndpoint(basic=False))
    sent: list[bytes] = field(default_factory=list)
    denied: bool = False
    sizes: bool = True
    api: Api | None = None

    @property
    def url(self) -> str:
        assert self.api is not None
        return f"{self.api.url}/v1.0"

    def deliver(self, mime: bytes, folder: str = "inbox") -> Mail:
        mail = Mail(len(self.mails) + 1, mime, self._folder(folder))
        self.mails.append(mail)
        return mail

    def lying(self) -> dict[str, list[str]]:
        """Message ids by display name of their folder."""
        found: dict[str, list[str]] = {}
        for mail in self.mails:
            found.setdefault(self.folders[mail.folder][0], []).append(mail.message_id)
        return found

    def answer(self, call: Call) -> Answer:
        if call.path.endswith("/oauth2/v2.0/token"):
            return self.tokens.answer(call)
        if not self.tokens.allows(call):
            return refusal(401, "Access token has expired.", "InvalidAuthenticationToken")
        try:
            return self._acted(call)
        except NoError as no:
            return refusal(*no.args)

    def _acted(self, call: Call) -> Answer:
        what = [unquote(part) for part in call.path.removeprefix("/v1.0/").split("/")]
        if what[:2] != ["users", USER]:
            raise NoError(404, "The requested user is invalid.", "ErrorInvalidUser")
        if self.denied:
            raise NoError(403, "Access is denied. Check credentials and try again.", "ErrorAccessDenied")
        collection, identity, act = (*what[2:], "", "")[:3]
        shape = "/".join(part for part in (collection, identity and "*", act) if part)
        act_on = {"mailFolders": self._on_folders, "messages": self._on_mails, "sendMail": self._on_sending}
        answer = act_on.get(collection, lambda *_: None)(call, f"{call.method} {shape}", identity)
        if answer is None:
            raise NoError(400, "Resource not found for the segment.", "RequestBroker--ParseUri")
        return answer

    def _on_folders(self, call: Call, shape: str, identity: str) -> Answer | None:
        folder = self._folder(identity) if identity else "AAMkroot="
        inside = [mail for mail in self.mails if mail.folder == folder]
        acts = {
            "GET mailFolders": lambda: self._page(call, self._below(folder), FOLDER),
            "GET mailFolders/*": lambda: _json(_picked(call, self._shown(folder), FOLDER)),
            "GET mailFolders/*/childFolders": lambda: self._page(call, self._below(folder), FOLDER),
            "POST mailFolders": lambda: self._new(call, folder),
            "POST mailFolders/*/childFolders": lambda: self._new(call, folder),
            "GET mailFolders/*/messages": lambda: self._page(
                call, [self._told(call, one) for one in inside], MESSAGE
            ),
        }
        return acts[shape]() if shape in acts else None

    def _on_mails(self, call: Call, shape: str, identity: str) -> Answer | None:
        if shape == "GET messages":
            return self._page(call, [self._told(call, one) for one in self.mails], MESSAGE)
        mail = self._mail(call, identity)
        acts = {
            "GET messages/*": lambda: _json(_picked(call, self._told(call, mail), MESSAGE)),
            "GET messages/*/$value": lambda: Answer(mail.mime, kind="text/plain"),
            "POST messages/*/move": lambda: self._move(call, mail),
        }
        return acts[shape]() if shape in acts else None

    def _on_sending(self, call: Call, shape: str, _: str) -> Answer | None:
        return self._send(call) if shape == "POST sendMail" else None

    # Mails

    def _identity(self, call: Call, mail: Mail) -> str:
        immutable = 'IdType="ImmutableId"' in call.headers.get("prefer", "")
        return f"AAkA+{mail.number}/=" if immutable else f"AQMk-{mail.number}-{mail.moves}="

    def _mail(self, call: Call, identity: str) -> Mail:
        for mail in self.mails:
            if self._identity(call, mail) == identity:
                return mail
        raise NoError(404, "The specified object was not found in the store.", "ErrorItemNotFound")

    def _told(self, call: Call, mail: Mail) -> dict[str, Any]:
        told = {
            "id": self._identity(call, mail),
            "internetMessageId": mail.message_id,
            "parentFolderId": mail.folder,
            "receivedDateTime": f"2026-11-26T08:{mail.number // 60:02}:{mail.number % 60:02}Z",
            "subject": str(message_from_bytes(mail.mime)["Subject"]),
            "isRead": False,
        }
        if "$expand" in call.query and self.sizes:
            told["singleValueExtendedProperties"] = [{"id": "Long 0xe08", "value": str(len(mail.mime))}]
        return told

    def _move(self, call: Call, mail: Mail) -> Answer:
        mail.folder = self._folder(_body(call, "destinationId"))
        mail.moves += 1
        return _json(self._told(call, mail), 201)

    def _send(self, call: Call) -> Answer:
        if call.headers.get("content-type") != "text/plain":
            raise NoError(400, "Only MIME is spoken here.", "ErrorInvalidRequest")
        try:
            mime = b64decode(call.body.replace(b"\n", b""), validate=True)
        except binascii.Error:
            raise NoError(
                400, "Invalid base64 string for MIME content.", "ErrorMimeContentInvalidBase64String"
            ) from None
        if not message_from_bytes(mime)["To"]:
            raise NoError(400, "At least one recipient isn't valid.", "ErrorInvalidRecipients")
        self.sent.append(mime)
        self.deliver(mime, "sentitems")
        return Answer(b"", 202)

    # Folders

    def _folder(self, name: str) -> str:
        identity = f"AAMk{name}=" if name in WELL_KNOWN else name
        if identity not in self.folders:
            raise NoError(404, "The specified folder could not be found in the store.", "ErrorItemNotFound")
        return identity

    def _shown(self, identity: str) -> dict[str, Any]:
        name, parent = self.folders[identity]
        return {"id": identity, "displayName": name, "parentFolderId": parent,
                "childFolderCount": len([one for _, one in self.folders.values() if one == identity]),
                "totalItemCount": len([mail for mail in self.mails if mail.folder == identity])}  # fmt: skip

    def _below(self, parent: str) -> list[dict[str, Any]]:
        return [self._shown(identity) for identity, (_, above) in self.folders.items() if above == parent]

    def _new(self, call: Call, parent: str) -> Answer:
        name = _body(call, "displayName")
        if any(row["displayName"].lower() == name.lower() for row in self._below(parent)):
            raise NoError(409, "A folder with the specified name already exists.", "ErrorFolderExists")
        identity = f"AAMk/{len(self.folders)}+="
        self.folders[identity] = (name, parent)
        return _json(self._shown(identity), 201)

    # Pages

    def _page(self, call: Call, rows: list[dict[str, Any]], known: set[str]) -> Answer:
        query = call.query
        if set(query) - {"$select", "$filter", "$orderby", "$top", "$expand", "$skip"}:
            raise NoError(400, "Unknown query option.", "BadRequest")
        if "$filter" in query and "$orderby" in query:
            raise NoError(
                400, "The restriction or sort order is too complex for this operation.", "InefficientFilter"
            )
        if "$expand" in query and not SIZE.fullmatch(query["$expand"]):
            raise NoError(400, "Parsing OData Select and Expand failed.", "RequestBroker--ParseUri")
        rows = _ordered(_filtered(rows, query.get("$filter", "")), query.get("$orderby", ""))
        top, skip = int(query.get("$top", 10)), int(query.get("$skip", 0))
        if not 1 <= top <= 1000:
            raise NoError(400, "The limit of items per page is invalid.", "BadRequest")
        answer: dict[str, Any] = {"value": [_picked(call, row, known) for row in rows[skip : skip + top]]}
        if skip + top < len(rows):
            further = {**query, "$skip": str(skip + top)}
            link = "&".join(f"{quote(name)}={quote(value)}" for name, value in further.items())
            assert self.api is not None
            answer["@odata.nextLink"] = f"{self.api.url}{call.path}?{link}"
        return _json(answer)


def _filtered(rows: list[dict[str, Any]], asked: str) -> list[dict[str, Any]]:
    """The part of $filter that is asked here: one property equals a text."""
    if not asked:
        return rows
    parts = re.fullmatch(r"(internetMessageId|displayName) eq '((?:[^']|'')*)'", asked)
    if parts is None:
        raise NoError(400, "Invalid filter clause.", "BadRequest")
    return [row for row in rows if row[parts[1]] == parts[2].replace("''", "'")]


def _ordered(rows: list[dict[str, Any]], asked: str) -> list[dict[str, Any]]:
    if not asked:
        return rows
    name, _, way = asked.partition(" ")
    if name != "receivedDateTime" or way not in {"", "asc", "desc"}:
        raise NoError(400, "Could not sort.", "BadRequest")
    return sorted(rows, key=lambda row: row[name], reverse=way == "desc")


def _picked(call: Call, row: dict[str, Any], known: set[str]) -> dict[str, Any]:
    chosen = set(call.query.get("$select", ",".join(known)).split(","))
    if chosen - known:
        raise NoError(400, f"Could not find a property named '{min(chosen - known)}'.", "RequestBroker--ParseUri")
    return {name: value for name, value in row.items() if name in chosen | {"id", "singleValueExtendedProperties"}}


def _body(call: Call, name: str) -> str:
    if call.headers.get("content-type") != "application/json":
        raise NoError(415, "The content type is not supported.", "UnsupportedMediaType")
    value = json.loads(call.body).get(name)
    if not isinstance(value, str) or not value:
        raise NoError(400, f"{name} is required.", "ErrorInvalidRequest")
    return value


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status)


def refusal(status: int, message: str, code: str = "ErrorInternalServerError") -> Answer:
    return _json({"error": {"code": code, "message": message, "innerError": {"date": "2026-11-26"}}}, status)


@contextmanager
def graph(office: Office) -> Iterator[Office]:
    with running(Api(office.answer, refusal)) as api:
        office.api = api
        yield office
