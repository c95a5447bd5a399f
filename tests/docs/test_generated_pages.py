"""
The generated pages say what their declarations say.
"""

import pytest

from docs.__main__ import FOLDER, PAGES, configuration
from sink.config.reference import settings


@pytest.mark.parametrize("name", PAGES)
def test_the_page_equals_what_its_declaration_generates(name: str) -> None:
    """When it fails: run `make docs` and commit the page."""
    assert (FOLDER / name).read_text("utf-8") == PAGES[name]()


def test_the_page_has_one_whole_row_for_each_setting() -> None:
    page = configuration()
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == [setting.name for setting in settings()]
    for row in rows:
        assert row.count("|") == 8, f"a pipe in a cell would break the table: {row}"


def test_a_row_tells_type_unit_default_bounds_variable_and_meaning() -> None:
    assert (
        "| `linger_ms` | integer | milliseconds | `20` | 0 … 10000 | `SINK__BULK__LINGER_MS` "
        "| Longest wait for more documents when there are few. Behind, bulks fill up. |"
    ) in configuration()
