"""Marks in a mail: whatever was read wherever, the pieces are the text, and every mark covers what was read."""

from hypothesis import given
from hypothesis import strategies as st

from vardag.app.desk.words import shown
from vardag.invoices.commands.sheet import Mark, pieces
from vardag.invoices.model import Read

TEXT = st.text(max_size=60)
EDGES = st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=8)


@given(TEXT, EDGES)
def test_pieces_are_the_text_and_marks_cover_what_was_read(text: str, edges: list[tuple[int, int]]) -> None:
    marks = [Mark(str(place), Read("", "body", "", 1.0, *edge)) for place, edge in enumerate(edges)]
    found = pieces(text, marks)
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    for mark in marks:
        start, end = mark.read.start, mark.read.end
        covered = "".join(piece.text for piece in found if mark in piece.marks)
        assert covered == (text[start:end] if 0 <= start < end <= len(text) else "")


@given(TEXT)
def test_making_characters_visible_keeps_their_places(text: str) -> None:
    assert len(shown(text)) == len(text)
    assert all(new in {old, "\ufffd"} for old, new in zip(text, shown(text), strict=True))
