"""The labelled corpus: nothing is wrongly decided, and enough is read. Figures: `python -m benchmarks.reading`."""

import pytest
from benchmarks.reading import decided, score

from mails.build import OWN, SERVER
from mails.corpus import SETS, Mail, load
from vardag.invoices.model import MailKind
from vardag.invoices.reading import load_patterns, read_mail

PATTERNS = load_patterns()
MAILS = {f"{name}-{mail.id}": mail for name in SETS for mail in load(name)}


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS.keys())
def test_nothing_is_decided_that_a_person_would_not_have_cancelled(mail: Mail) -> None:
    read = read_mail(mail.raw, patterns=PATTERNS, trusted_server=SERVER, own_address=OWN)
    assert set(decided(read, PATTERNS)) <= set(mail.to_cancel)
    if {label.action for label in mail.labels} == {"ignore"}:
        assert read.kind is not MailKind.REQUEST or read.doubts or any(one.doubts for one in read.requests)


@pytest.mark.parametrize(("name", "least"), [("tuning", 0.88), ("holdout", 0.80)])
def test_enough_is_read(name: str, least: float) -> None:
    result = score(load(name), PATTERNS)
    assert result.right == result.decided
    assert result.whole >= least * result.clear_mails


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    assert {name: len(load(name)) for name in SETS} == {"tuning": 500, "holdout": 100, "adversarial": 200}
    assert len({mail.letter for mail in MAILS.values()}) >= 400
