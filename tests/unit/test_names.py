"""Sessions are named so that a listing by name is a listing by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.start import new_name

BEGAN = datetime(2026, 11, 20, tzinfo=UTC)
since = st.integers(0, 10**10)


@given(since, since)
def test_names_sort_as_the_sessions_began_to_the_millisecond(one: int, other: int) -> None:
    """Two sessions of one second are in order, too."""
    earlier, later = (
        new_name(BEGAN + timedelta(milliseconds=each)) for each in sorted((one, other))
    )

    assert one == other or earlier < later


def test_two_sessions_of_the_same_millisecond_have_different_names() -> None:
    """What tells them apart is random."""
    now = datetime(2026, 11, 20, 18, 12, 3, 161_000, UTC)

    names = {new_name(now) for _ in range(20)}

    assert len(names) > 15
    assert all(name.startswith("20261120T181203-0a1") for name in names)
