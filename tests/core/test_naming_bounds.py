"""
Names that are too long for Elasticsearch, and names that hold for long.
"""

import hashlib
from datetime import UTC

import pytest

from sink.core.legal_names import NAME_BYTES_MAX
from sink.core.naming import IndexNames
from tests.core.test_naming import _ms


@pytest.mark.parametrize(("form", "hours"), [("logs-%Y.%m.%d", 24), ("logs-%Y.%m.%d.%H", 0.25)])
def test_a_name_is_made_anew_no_oftener_than_it_may_change(form: str, hours: float) -> None:
    dated = IndexNames("", "day", form, UTC).dated("t", _ms("UTC", 2026, 11, 21, 9, 20))

    assert dated.until_ms - dated.from_ms == hours * 3_600_000


def test_two_long_topics_do_not_share_an_index() -> None:
    names = IndexNames("p" * 30, "month", None, UTC)
    time_ms = _ms("UTC", 2026, 11, 21)

    one, two = (names.dated("t" * 240 + last, time_ms).name for last in "ab")

    assert one != two
    assert len(one) == len(two) == NAME_BYTES_MAX
    assert one.endswith("_2026-11-01")


def test_a_name_that_just_fits_is_kept_whole() -> None:
    fits = "t" * (NAME_BYTES_MAX - len("_2026-11-01"))
    names = IndexNames("", "month", None, UTC)
    time_ms = _ms("UTC", 2026, 11, 21)

    assert names.dated(fits, time_ms).name == f"{fits}_2026-11-01"
    assert names.dated(fits + "t", time_ms).name != f"{fits}t_2026-11-01"


@pytest.mark.parametrize("shift", ["", "p", "pp"])
def test_a_name_that_is_cut_is_the_same_in_every_version_of_the_sink(shift: str) -> None:
    """
    With another one a record read again after an upgrade would come into a second index. Cut amid
    a character it is still a name.
    """
    names = IndexNames(shift + "é" * 200, "month", None, UTC)
    base = f"{shift}{'é' * 200}orders"
    digest = hashlib.sha256(base.encode()).hexdigest()[:12]
    room = NAME_BYTES_MAX - len(f"_{digest}_2026-11-01")
    head = base.encode()[:room].decode(errors="ignore")

    name = names.dated("orders", _ms("UTC", 2026, 11, 21)).name

    assert name == f"{head}_{digest}_2026-11-01"
