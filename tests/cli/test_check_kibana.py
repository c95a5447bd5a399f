"""
What `sink check` finds at Kibana, where one is configured: never a reason not to run.
"""

from pathlib import Path

import pytest

from sink.testing import FakeKibana
from tests.cli.memory_sides import EKK, lines, sink
from tests.edge.answering import closed_port

pytestmark = pytest.mark.usefixtures("brokers", "cluster")


def test_a_kibana_that_answers_is_told_with_its_space(file: Path) -> None:
    with FakeKibana(spaces=["logs"]) as fake:
        fake.add_data_view("a-*", id_="a", space="logs")
        file.write_text(f'{EKK}[kibana]\nurl = "{fake.url}"\nspace = "logs"\n')

        result = sink("check")

        assert lines(result)["Kibana"].startswith("✓ ")
        assert lines(result)["Kibana"].endswith(
            f"{fake.url} answers, 1 data views in the space logs"
        )
        assert {each.method for each in fake.asked} == {"GET"}


def test_where_none_is_configured_nothing_is_said(file: Path) -> None:
    assert "Kibana" not in lines(sink("check"))


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ('api_key = "hush"', "correct kibana.api_key or kibana.basic_auth"),
        ('api_key = "right"\nspace = "lgos"', "correct [kibana]"),
    ],
)
def test_what_is_wrong_is_a_warning_with_what_to_do(file: Path, settings: str, remedy: str) -> None:
    with FakeKibana(api_key="right") as fake:
        file.write_text(f'{EKK}[kibana]\nurl = "{fake.url}"\n{settings}\n')

        result = sink("check")

        assert lines(result)["Kibana"].startswith("! ")
        assert remedy in lines(result)["Kibana"]
        assert "hush" not in result.output
        assert result.exit_code == 0


def test_a_kibana_that_is_not_there_is_a_warning(file: Path) -> None:
    with closed_port() as url:
        file.write_text(f'{EKK}[kibana]\nurl = "{url}"\n')

        result = sink("check")

    assert "does not answer" in lines(result)["Kibana"]
    assert "correct kibana.url" in lines(result)["Kibana"]
    assert result.exit_code == 0
