"""Passwords: kept as a salted hash that is slow to guess (scrypt, RFC 7914), and compared in constant time."""

import hashlib
import hmac
import secrets
from threading import BoundedSemaphore

# Cost as OWASP's cheat sheet on password storage gives it for scrypt: 32 MB, three times over.
LOG_N, R, P = 15, 8, 3
MOST_BYTES = 2 * 128 * R * 2**LOG_N
AT_A_TIME = BoundedSemaphore(2)  # each takes 32 MB: many guesses at once must not take the machine's memory


def hashed(password: str) -> str:
    """Hash of a password under a new salt, with its cost, as text.

    >>> hashed("correct horse").split("$")[:4]
    ['scrypt', '15', '8', '3']
    """
    salt = secrets.token_bytes(16)
    return f"scrypt${LOG_N}${R}${P}${salt.hex()}${_hash(password, salt, LOG_N, R, P).hex()}"


def fits(password: str, secret: str) -> bool:
    """Tell whether a password is the one that was hashed; as slow where there is none to compare with."""
    kind, *numbers = (secret or f"scrypt${LOG_N}${R}${P}${'00' * 16}$").split("$")
    if kind != "scrypt" or len(numbers) != 5:
        return False
    log_n, r, p, salt, wanted = int(numbers[0]), int(numbers[1]), int(numbers[2]), numbers[3], numbers[4]
    return hmac.compare_digest(_hash(password, bytes.fromhex(salt), log_n, r, p).hex(), wanted)


def _hash(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    with AT_A_TIME:
        return hashlib.scrypt(password.encode(), salt=salt, n=2**log_n, r=r, p=p, maxmem=MOST_BYTES)
