"""
`sink kibana setup`: what it prints, what it makes, its exit codes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sink.testing import FakeKibana
from tests.cli.memory_sides import EKK, MemoryBrokers, sink
from tests.edge.answering import closed_port


@pytest.fixture
def fake() -> Iterator[FakeKibana]:
    with FakeKibana(api_key="hush-key", spaces=["logs"]) as fake:
        yield fake


@pytest.fixture
def configured(
    file: Path, fake: FakeKibana, brokers: MemoryBrokers, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A configuration with a Kibana; Kafka has the topics ekk-order.service and ekk-x."""
    monkeypatch.setattr("sink.operations.kibana.Brokers", lambda _: brokers)
    Path("key").write_text("hush-key\n")
    file.write_text(f'{EKK}[kibana]\nurl = "{fake.url}"\napi_key_file = "key"\nspace = "logs"\n')
    return file


def test_it_makes_a_data_view_for_each_user_topic_and_prints_the_links(
    configured: Path, fake: FakeKibana
) -> None:
    result = sink("kibana", "setup")

    assert result.exit_code == 0
    made = fake.data_views("logs")
    assert {view["name"] for view in made.values()} == {
        "order.service",
        "x",
        "all logs of log-sink",
    }
    for id_ in [*made, *fake.dashboards("logs")]:
        assert f"{fake.url}/s/logs/app/" in result.stdout and id_ in result.stdout
    assert "hush" not in result.output


def test_a_dry_run_makes_nothing_and_prints_the_same_links(
    configured: Path, fake: FakeKibana
) -> None:
    dry = sink("kibana", "setup", "--dry-run")

    assert (dry.exit_code, fake.data_views("logs"), fake.dashboards("logs")) == (0, {}, {})
    assert {each.method for each in fake.asked} == {"GET"}
    made = sink("kibana", "setup")
    links = [line for line in dry.stdout.splitlines() if "/app/" in line]
    assert links == [line for line in made.stdout.splitlines() if "/app/" in line]


def test_json_has_the_same(configured: Path, fake: FakeKibana) -> None:
    told = json.loads(sink("kibana", "setup", "--json").stdout)

    assert [view["action"] for view in told["data_views"]] == ["create"] * 3
    for view in told["data_views"]:
        assert fake.data_views("logs")[view["id"]]["timeFieldName"] == view["time_field"]
        assert view["id"] in view["discover"]
    assert told["data_views"][0]["topics"] == ["ekk-order.service"]
    assert told["dashboard"]["action"] == "create"
    again = json.loads(sink("kibana", "setup", "--json").stdout)
    assert {view["action"] for view in again["data_views"]} == {"keep"}


def test_one_that_kibana_refuses_fails_the_command_and_has_no_link(
    configured: Path, fake: FakeKibana
) -> None:
    first = json.loads(sink("kibana", "setup", "--dry-run", "--json").stdout)["data_views"][0]
    fake.add_data_view("x", id_=first["id"], space="elsewhere")

    result = sink("kibana", "setup")

    assert result.exit_code == 1
    assert "refused" in result.stdout and first["discover"] not in result.stdout
    assert len(fake.data_views("logs")) == 2


def test_what_is_left_out_is_said(configured: Path) -> None:
    configured.write_text(configured.read_text() + "data_views_max = 1\n")

    assert "1 more than kibana.data_views_max left out" in sink("kibana", "setup").stderr


def test_wrong_credentials_fail_with_one_line_that_tells_no_secret(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("key").write_text("hush-other")

    result = sink("kibana", "setup")

    assert result.exit_code == 1
    assert result.stderr.startswith("sink: Kibana refuses the credentials")
    assert "hush" not in result.output


def test_a_kibana_that_is_not_there_fails_with_its_address(configured: Path) -> None:
    with closed_port() as url:
        configured.write_text(f'{EKK}[kibana]\nurl = "{url}"\n')
        result = sink("kibana", "setup")

    assert result.exit_code == 1
    assert f"Kibana at {url} does not answer" in result.stderr


@pytest.mark.parametrize(
    ("section", "said"),
    [("", "kibana.url must be set"), ('space = "lgos"\n', "there is no space 'lgos'")],
)
def test_a_configuration_that_cannot_work_ends_with_2(
    configured: Path, fake: FakeKibana, section: str, said: str
) -> None:
    given = f'url = "{fake.url}"\napi_key_file = "key"\n{section}' if section else ""
    configured.write_text(f"{EKK}[kibana]\n{given}")

    result = sink("kibana", "setup")

    assert result.exit_code == 2
    assert said in result.stderr
