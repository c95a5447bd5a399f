"""
The page of the routes: each configuration in it loads, and what it says is so.
"""

import re
import tomllib

import pytest

from docs.__main__ import FOLDER
from sink import templates
from sink.checks.routes import findings
from sink.config import Config
from sink.core.template import TEMPLATES
from sink.routes import routes_of

PAGE = (FOLDER / "routes.md").read_text("utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _config(block: str) -> Config:
    return Config.model_validate(tomllib.loads(block))


@pytest.mark.parametrize("block", BLOCKS)
def test_every_configuration_makes_routes_and_templates(block: str) -> None:
    config = _config(block)

    made = templates.wanted(config)

    assert len(routes_of(config)) == block.count("[[routes]]")
    assert {each.kind for each in made} == set(TEMPLATES)


def test_the_page_has_configurations_of_each_kind() -> None:
    assert len(BLOCKS) == 5


def test_a_data_stream_gets_the_template_the_page_names() -> None:
    (block,) = (block for block in BLOCKS if "data_stream" in block)

    names = {each.name: each.body for each in templates.wanted(_config(block))}

    assert names["ekk-data-stream"]["index_patterns"] == ["logs-*-prod"]


def _told(**route: object) -> list[tuple[str, str]]:
    given = {"name": "r", "topics": ["t"], **route}
    found = findings(routes_of(Config.model_validate({"routes": [given]})))
    return [(each.level, each.text) for each in found]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({}, []),
        (
            {"id": "field", "id_field": "k", "index": {"name": "x"}},
            [("ok", "the first is indexed, each further one is answered 409")],
        ),
        (
            {"id": "field", "id_field": "k", "op_type": "index", "index": {"name": "x"}},
            [("warning", "need not be the record that is newest")],
        ),
        (
            {
                "id": "field",
                "id_field": "k",
                "op_type": "index",
                "version": "offset",
                "index": {"name": "x"},
            },
            [("ok", "Only if all records of an id are in one partition")],
        ),
        (
            {"id": "field", "id_field": "k"},
            [("ok", "409"), ("warning", "the same id in another period is another document")],
        ),
        ({"index": {"data_stream": "logs-a-b"}}, [("ok", "after a rollover is a second document")]),
    ],
)
def test_the_check_says_what_the_page_says(
    route: dict[str, object], said: list[tuple[str, str]]
) -> None:
    told = _told(**route)

    assert [level for level, _ in told] == [level for level, _ in said]
    assert all(words in text for (_, text), (_, words) in zip(told, said, strict=True))
