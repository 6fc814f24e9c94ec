"""A real Dovecot, started by the tests on loopback."""

import os
from pathlib import Path

import pytest

from vardag.demo.post.dovecot import dovecot_program


def require_dovecot() -> Path:
    """Dovecot's program; without it the test is skipped by name, in CI it fails."""
    program = dovecot_program()
    if program is not None:
        return program
    message = "dovecot: the IMAP server is not installed (apt-get install dovecot-imapd)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
