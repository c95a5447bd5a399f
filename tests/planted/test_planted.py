"""
The planted bugs fit the source as it is today.
"""

from pathlib import Path

import pytest

from tests.planted.bugs import BUGS, Bug

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_be_planted_in_exactly_one_place_and_has_judges(bug: Bug) -> None:
    source = (_ROOT / bug.file).read_text()
    assert source.count(bug.right) == 1
    compile(source.replace(bug.right, bug.wrong), bug.file, "exec")
    assert bug.judges
    assert all((_ROOT / judge).exists() for judge in bug.judges)
