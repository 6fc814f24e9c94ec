"""Dovecot on a loopback port, with its own users and mail folders, started by us and ended by its process id.

It runs as whoever starts it; as root, mail is read as the user that Debian's package makes for it.
"""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vardag.core.errors import VardagError
from vardag.demo.post.maildir import MAIL_USER
from vardag.demo.post.ports import await_port

START_S = 20.0
DOVECOT_GROUP = "dovecot"  # of the user that Debian's package makes
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
{tls}
disable_plaintext_auth = {only_tls}
auth_mechanisms = plain login xoauth2
mail_location = maildir:{mail}/%Lu/Maildir
{users}
first_valid_uid = 1
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN {folder}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={mail}/%Lu
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
# Tokens are JSON web tokens, checked against a shared key in a file: no other server is asked.
OAUTH = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""


def dovecot_program() -> Path | None:
    """Where Dovecot is installed; None where it is not."""
    found = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


@contextmanager
def dovecot(
    program: Path,
    folder: Path,
    mail: Path,
    port: int,
    passwords: Mapping[str, str],
    *,
    certificate: Path | None = None,
    token_key: str = "",
) -> Iterator[subprocess.Popen[bytes]]:
    """Start Dovecot and end it.

    Parameters
    ----------
    mail
        Where every address has its Maildir (`maildir.maildir`).
    passwords
        Password of each address that may log in.
    certificate
        PEM file with certificate and key: STARTTLS is then offered, and needed for a password.
    token_key
        Shared key (base64) of the tokens that XOAUTH2 takes.
    """
    (folder / "keys" / "default" / "HS256").mkdir(parents=True, exist_ok=True)
    mail.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(mail, MAIL_USER, MAIL_USER)
    (folder / "dovecot.conf").write_text(_configuration(folder, mail, port, certificate))
    (folder / "oauth2.conf").write_text(OAUTH.format(folder=folder))
    _write_for_dovecot(folder / "keys" / "default" / "HS256" / "default", token_key)
    _write_for_dovecot(folder / "users", "".join(f"{who}:{{PLAIN}}{word}\n" for who, word in passwords.items()))
    process = subprocess.Popen([program, "-F", "-c", folder / "dovecot.conf"], start_new_session=True)
    try:
        await_port(port, f"Dovecot (see {folder}/dovecot.log)", seconds=START_S)
        if process.poll() is not None:
            raise VardagError(
                f"Dovecot could not open port {port}: somebody else has it. See {folder}/dovecot.log."
            )
        yield process
    finally:
        process.terminate()
        process.wait(timeout=START_S)


def _write_for_dovecot(path: Path, text: str) -> None:
    """A file that Dovecot's own user may read, and no others."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    if os.geteuid() == 0:
        shutil.chown(path, "root", DOVECOT_GROUP)
        path.chmod(0o640)


def _configuration(folder: Path, mail: Path, port: int, certificate: Path | None) -> str:
    me, root = getpass.getuser(), os.geteuid() == 0
    own = f"default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {_group()}"
    tls = f"ssl = yes\nssl_cert = <{certificate}\nssl_key = <{certificate}" if certificate else "ssl = no"
    return CONFIGURATION.format(
        folder=folder,
        mail=mail,
        port=port,
        tls=tls,
        only_tls="yes" if certificate else "no",
        users="" if root else own,
        mail_user=MAIL_USER if root else me,
        mail_group=MAIL_USER if root else _group(),
    )


def _group() -> str:
    import grp  # noqa: PLC0415 - Unix only, as Dovecot is

    return grp.getgrgid(os.getgid()).gr_name
