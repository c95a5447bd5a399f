"""
`sink config`: a file to start from, what holds now, and the schema.
"""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from sink.cli import cli, main
from sink.config import load
from sink.config.reference import settings
from sink.config.toml import STARTER
from sink.errors import ConfigError
from sink.templates import wanted
from tests.configuring import ROUTE

pytestmark = pytest.mark.usefixtures("empty_folder")


def sink_config(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["config", *arguments])


def test_init_prints_a_file_that_loads_and_names_every_setting() -> None:
    result = sink_config("init")

    Path("sink.toml").write_text(result.stdout)
    assert result.exit_code == 0
    assert load() == STARTER
    for setting in settings():
        assert f"\n{setting.name} = " in result.stdout.replace("\n#", "\n"), setting.key


def test_the_starters_indices_have_a_template() -> None:
    sink_config("init", "-o", "sink.toml")

    names = [each.name for each in wanted(load())]

    assert "ekk" in names


@pytest.mark.parametrize("form", ["x-%H%M", "x-%Y.%f", "x-%z"])
def test_an_impossible_name_is_one_sentence_to_every_command(form: str) -> None:
    Path("sink.toml").write_text(ROUTE + f'index = {{ name = "{form}" }}\n')

    for command in (["config", "role"], ["templates", "show", "ekk"]):
        result = CliRunner().invoke(cli, command)
        assert isinstance(result.exception, SystemExit | ConfigError), command
        assert "routes.logs.index.name" in str(result.exception) + result.output


def test_init_writes_the_file_and_says_what_comes_next() -> None:
    result = sink_config("init", "-o", "new.toml")

    assert result.exit_code == 0
    assert "sink config show" in result.stdout
    assert load(Path("new.toml")) == STARTER


def test_init_writes_over_a_file_only_when_told_to() -> None:
    Path("mine.toml").write_text("mine")

    refused = sink_config("init", "-o", "mine.toml")
    assert refused.exit_code == 2
    assert "mine.toml is already there: --force writes over it" in refused.stderr
    assert Path("mine.toml").read_text() == "mine"

    assert sink_config("init", "-o", "mine.toml", "--force").exit_code == 0
    assert load(Path("mine.toml")) == STARTER


def test_init_says_why_a_file_cannot_be_written() -> None:
    result = sink_config("init", "-o", "no/such/folder/sink.toml")

    assert result.exit_code == 1
    assert "sink.toml cannot be written: No such file or directory" in result.stderr


def test_show_prints_each_setting_with_its_value_and_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("sink.toml").write_text(ROUTE + "[elasticsearch]\napi_key = 'hush'\n")
    monkeypatch.setenv("SINK__KAFKA__THREADS", "4")

    result = sink_config("show")

    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert result.exit_code == 0
    assert lines["SETTING"] == ["VALUE", "SOURCE"]
    assert lines["kafka.threads"] == ["4", "environment", "SINK__KAFKA__THREADS"]
    assert lines["elasticsearch.api_key"] == ['"********"', "file", "sink.toml"]
    assert lines["routes[0].prefix"] == ['"log-"', "file", "sink.toml"]
    assert lines["kafka.group_instance_id"] == ["unset", "default"]
    assert "hush" not in result.output


@pytest.mark.parametrize("place", [0, 2])
def test_show_reads_the_file_named_before_or_after_the_command(place: int) -> None:
    Path("other.toml").write_text(ROUTE + "[log]\nlevel = 'error'\n")
    arguments = ["config", "show", "--json"]
    arguments[place:place] = ["-c", "other.toml"]

    result = CliRunner().invoke(cli, arguments)

    shown = json.loads(result.stdout)
    assert shown["config"]["log"]["level"] == "error"
    assert shown["sources"]["log.level"] == "file other.toml"
    assert shown["sources"]["log.format"] == "default"


@pytest.mark.parametrize("arguments", [("show",), ("show", "--json")])
def test_show_refuses_a_bad_configuration_with_exit_code_2(
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("sink.toml").write_text(ROUTE + "[log]\nlevle = 'error'\n")

    monkeypatch.setattr("sys.argv", ["sink", "config", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 2
    assert capsys.readouterr() == (
        "",
        "sink: file sink.toml: log.levle: unknown setting, did you mean level?\n",
    )


def test_the_schema_accepts_what_the_sink_accepts_and_refuses_what_it_refuses() -> None:
    schema = json.loads(sink_config("schema").stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    Path("sink.toml").write_text(sink_config("init").stdout)

    assert validator.is_valid(tomllib.loads(Path("sink.toml").read_text()))
    assert validator.is_valid(json.loads(sink_config("show", "--json").stdout)["config"])
    routes = [{"name": "logs", "prefix": "log-"}]
    assert not validator.is_valid({})
    assert not validator.is_valid({"routes": routes, "kafka": {"thread": 1}})
    assert not validator.is_valid({"routes": routes, "kafka": {"threads": 65}})
    assert not validator.is_valid({"routes": routes, "log": {"level": "loud"}})


def test_the_role_has_what_the_routes_need_and_no_more() -> None:
    Path("sink.toml").write_text(
        '[elasticsearch]\nhosts = ["http://localhost:9200"]\n'
        '[kafka]\nbootstrap_servers = "localhost:9092"\n'
        '[[routes]]\nname = "ekk"\nprefix = "ekk-"\nindex = { prefix = "sag-" }\n'
        '[[routes]]\nname = "old"\nprefix = "old-"\nindex = { prefix = "old-" }\n'
        'op_type = "index"\nlifecycle = { keep_days = 90 }\n'
    )

    role = json.loads(sink_config("role").stdout)

    assert role["cluster"] == ["manage_index_templates", "manage_ilm", "monitor"]
    held = {name: each["privileges"] for each in role["indices"] for name in each["names"]}
    assert held["sag-*"] == ["create_index", "create_doc", "read", "view_index_metadata"]
    assert held["old-*"] == ["create_index", "index", "manage", "read", "view_index_metadata"]


def test_without_routes_there_is_no_role() -> None:
    result = sink_config("role", "-c", "none.toml")

    assert result.exit_code == 2
