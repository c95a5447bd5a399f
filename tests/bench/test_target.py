"""
What is aimed at, and whether it was reached.
"""

import pytest

from bench.target import Target, table, told


@pytest.mark.parametrize(
    ("measured", "least", "met"),
    [(2.0, False, True), (2.1, False, False), (2.0, True, True), (1.9, True, False)],
)
def test_a_target_is_met_up_to_its_limit_on_the_good_side(
    measured: float, least: bool, met: bool
) -> None:
    assert Target("it", measured, 2.0, least=least).met is met


def test_a_missed_target_is_told_with_what_was_measured_and_wanted() -> None:
    missed = Target("records/s, in times another's", 1.2, 1.5, least=True)

    assert told([missed]) == "MISSED records/s, in times another's: 1.2, at least 1.5"
    assert "| records/s, in times another's | at least 1.5 | 1.2 | **missed** |" in table([missed])
