"""
The page about Kibana: its commands and blocks do what it says, as far as the fake goes.
"""

import re
import shlex
from pathlib import Path

import pytest

from sink.config import load
from sink.edge.kibana import Kibana
from sink.testing import FakeKibana
from tests.cli.memory_sides import EKK, MemoryBrokers, MemoryCluster, MemoryElastic, lines, sink

PAGE = (Path(__file__).parents[2] / "docs" / "kibana.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_command_does_what_the_page_says(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("checks.kafka", "operations.kibana"):
        monkeypatch.setattr(f"sink.{user}.Brokers", lambda _: MemoryBrokers())
    client = lambda settings: MemoryElastic(MemoryCluster(), settings)  # noqa: E731
    monkeypatch.setattr("sink.checks.elasticsearch.Elastic", client)
    Path("key").write_text("secret")
    commands = re.findall(r"^    (sink .*?)(?:  +#.*)?$", PAGE, re.MULTILINE)
    with FakeKibana(api_key="secret", spaces=["logs"]) as kibana:
        block = blocks("toml")[0].replace("http://localhost:5601", kibana.url)
        Path("sink.toml").write_text(EKK + block.replace("/run/secrets/kibana-api-key", "key"))
        results = {command: sink(*shlex.split(command)[1:]) for command in commands}
        made = kibana.data_views("logs")

    assert len(commands) == 4
    assert {result.exit_code for result in results.values()} == {0}
    assert lines(results["sink check"])["Kibana"].startswith("✓ ")
    assert {view["name"] for view in made.values()} == {
        "order.service",
        "x",
        "all logs of log-sink",
    }
    for result in results.values():
        if result is not results["sink check"]:
            assert "https://kibana.example.com/s/logs/app/discover#/" in result.stdout


@pytest.mark.usefixtures("empty_folder")
def test_the_daemons_block_is_a_configuration() -> None:
    Path("sink.toml").write_text(EKK + blocks("toml")[1])

    assert load().kibana.setup_on_start


def test_the_example_for_users_tests_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")

    exec(example, {})

    assert "mine" in capsys.readouterr().out


@pytest.mark.parametrize(
    "said",
    [
        "does not answer",
        "is not ready yet",
        "is no Kibana",
        "Kibana refuses the credentials",
        "Kibana denies the request",
        "there is no space",
    ],
)
def test_each_message_of_the_page_is_one_that_the_sink_says(said: str) -> None:
    source = Path(Kibana.__init__.__code__.co_filename).read_text("utf-8")

    assert said in PAGE
    assert said in source
