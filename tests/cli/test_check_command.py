"""
`sink check`: its lines, its JSON, its exit codes, its configuration file.
"""

import json
from pathlib import Path

import pytest

from sink.cli import main
from tests.cli.memory_sides import EKK, MemoryCluster, lines, sink

pytestmark = pytest.mark.usefixtures("brokers", "cluster")


def test_when_all_is_well_every_line_says_so_and_the_exit_code_is_0(file: Path) -> None:
    result = sink("check")

    said = lines(result)
    assert [line[0] for line in said.values()] == ["✓"] * len(said)
    assert list(said) == [
        "configuration",
        "Kafka",
        "topic ekk-order.service",
        "topic ekk-x",
        "permissions",
        "topic ids",
        "dead letters",
        "parked",
        "Elasticsearch",
        "privileges",
        "cluster health",
        "shards",
        "new indices",
        "templates",
    ]
    assert result.exit_code == 0


def test_json_has_the_same_findings(file: Path, cluster: MemoryCluster) -> None:
    cluster.health |= {"status": "red"}

    result = sink("check", "--json")

    rows = json.loads(result.stdout)
    assert [row["subject"] for row in rows] == list(lines(sink("check")))
    assert all(list(row) == ["subject", "ok", "level", "text", "remedy"] for row in rows)
    assert {row["level"]: row["ok"] for row in rows} == {"ok": True, "error": False}
    assert all(bool(row["remedy"]) is not row["ok"] for row in rows)
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "words",
    [("check", "-c", "other.toml"), ("-c", "other.toml", "check")],
)
def test_the_file_is_named_before_or_after_the_command(file: Path, words: tuple[str, ...]) -> None:
    file.rename("other.toml")

    assert sink("check").exit_code == 2
    assert sink(*words).exit_code == 0


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[log]\nlevle = 'error'\n", "log.levle: unknown setting, did you mean level?"),
        ('[dead_letter]\ntopic = "ekk-dead"\n', "route ekk reads ekk-dead itself"),
        ('[[routes]]\nname = "y"\nprefix = "y-"\ncollector = "no"\n', "routes.y.collector"),
    ],
)
def test_a_bad_configuration_is_told_as_by_every_command(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    written: str,
    said: str,
) -> None:
    file.write_text(EKK + written)
    monkeypatch.setattr("sys.argv", ["sink", "check"])

    with pytest.raises(SystemExit) as caught:
        main()

    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert err.startswith("sink: ") and said in err
