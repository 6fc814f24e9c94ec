"""How well the mail reader reads the labelled corpus: precision, recall, reasons and time, and every miss.

Run ``python -m benchmarks.reading``; ``--misses`` lists them.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vardag.invoices.model import MailRead
from vardag.invoices.reading import Patterns, decidable, load_patterns, read_mail

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from mails.build import OWN, SERVER
from mails.corpus import SETS, Mail, load


@dataclass
class Score:
    """Counts for one set."""

    mails: int = 0
    decided: int = 0
    right: int = 0
    clear_mails: int = 0
    whole: int = 0
    reasons: int = 0
    reasons_right: int = 0
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)


def decided(mail: MailRead, patterns: Patterns) -> dict[str, str]:
    """Numbers that would be decided without a person, and the reason read for each."""
    return dict(_decided(mail, patterns)) if mail.sender.proven else {}


def _decided(mail: MailRead, patterns: Patterns) -> Iterator[tuple[str, str]]:
    for request in mail.requests:
        if decidable(mail, request, patterns=patterns):
            named = request.target if request.number else f"ocr:{request.target}"
            yield named, request.reason.value if request.reason else "-"


def score(mails: list[Mail], patterns: Patterns) -> Score:
    """Read every mail of a set and count."""
    result = Score()
    for mail in mails:
        raw = mail.raw
        start = time.perf_counter()
        read = read_mail(raw, patterns=patterns, trusted_server=SERVER, own_address=OWN)
        result.seconds += time.perf_counter() - start
        _count(result, mail, read, decided(read, patterns))
    return result


def _count(result: Score, mail: Mail, read: MailRead, found: dict[str, str]) -> None:
    wanted = mail.to_cancel
    right = {number for number in found if number in wanted}
    result.mails += 1
    result.decided += len(found)
    result.right += len(right)
    result.clear_mails += mail.clear
    whole = mail.clear and right == set(wanted)
    result.whole += whole
    result.reasons += len(right)
    result.reasons_right += sum(found[number] == wanted[number] for number in right)
    wrong = {number: why for number, why in found.items() if number not in wanted}
    if wrong:
        result.misses.append(f"{mail.id}: WRONGLY DECIDED {wrong}")
    if mail.clear and not whole:
        doubts = [f"{request.target}:{'+'.join(request.doubts)}" for request in read.requests]
        result.misses.append(f"{mail.id}: not decided; {read.kind.value} {list(read.doubts)} {doubts}")
    for number in right:
        if found[number] != wanted[number]:
            result.misses.append(f"{mail.id}: reason {found[number]} read, {wanted[number]} meant")


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def main() -> None:
    patterns = load_patterns()
    print("| set | mails | decided alone | precision | recall (mails) | reasons right | ms per mail |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    misses: list[str] = []
    for name in SETS:
        result = score(load(name), patterns)
        print(
            f"| {name} | {result.mails} | {result.decided} | {percent(result.right, result.decided)} "
            f"| {percent(result.whole, result.clear_mails)} ({result.whole} of {result.clear_mails}) "
            f"| {percent(result.reasons_right, result.reasons)} "
            f"| {1000 * result.seconds / max(result.mails, 1):.1f} |"
        )
        misses += result.misses
    if "--misses" in sys.argv:
        print("\n" + "\n".join(misses))


if __name__ == "__main__":
    main()
