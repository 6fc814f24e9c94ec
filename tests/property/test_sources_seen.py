"""The ids met so far, against Python's own set, whatever the chunks and even where hashes collide."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vardag.water.sources import staging
from vardag.water.sources.staging import SeenIds

ids = st.lists(st.one_of(st.none(), st.text("abcö", max_size=3)), max_size=20)


@settings(max_examples=50, deadline=None)
@given(chunks=st.lists(ids, max_size=8), asked=ids, buckets=st.sampled_from([2, 2**63]))
def test_ids_known_are_those_added(chunks: list[list[str | None]], asked: list[str | None], buckets: int) -> None:
    plain: set[str] = set()
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        hashed = staging._hashes
        patch.setattr(staging, "_hashes", lambda values: hashed(values) % np.uint64(buckets))
        seen = SeenIds("pipe_id")
        for number, chunk in enumerate(chunks):
            kept = pl.Series("pipe_id", [value for value in chunk if value is not None], dtype=pl.String)
            if len(kept):
                kept.to_frame().write_parquet(Path(folder) / f"[{number}].parquet")
                seen.add(kept, Path(folder) / f"[{number}].parquet")
                plain |= set(kept)
        known = seen.known(pl.Series(asked, dtype=pl.String))
    assert known.tolist() == [value in plain for value in asked]
