"""
Index templates with a cluster in memory: written in order and once, a foreign one never.
"""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sink import templates
from sink.cli.templates import templates as command
from sink.config import Config, load
from sink.core.template import Kind, Template, patterns_of
from sink.core.template_body import version_of
from sink.core.template_plan import StepAction
from sink.errors import ConfigError
from sink.testing import FakeTemplates

CONFIG = """
[kafka]
bootstrap_servers = "localhost:9092"
group_id = "log-sink"
[elasticsearch]
hosts = ["http://localhost:9200"]
"""
EKK = '[[routes]]\nname = "ekk"\nprefix = "ekk-"\nindex = { prefix = "sag-" }\n'
APP = '[[routes]]\nname = "app"\nprefix = "app-"\nindex = { name = "app-%Y.%m.%d" }\n'
BARE = '[[routes]]\nname = "bare"\nprefix = "bare-"\n'
STACK = '[[routes]]\nname = "stack"\nprefix = "s-"\nindex = { prefix = "logs-" }\n'


def _config(tmp_path: Path, *routes: str, directory: Path | None = None) -> Config:
    return load(_file(tmp_path, *routes, directory=directory))


def _file(tmp_path: Path, *routes: str, directory: Path | None = None) -> Path:
    chosen = "" if directory is None else f'[templates]\ndir = "{directory}"\n'
    file = tmp_path / "sink.toml"
    file.write_text(CONFIG + chosen + "".join(routes))
    return file


def _applied(store: FakeTemplates, config: Config) -> list[StepAction]:
    return [step.action for step in asyncio.run(templates.apply(store, config))]


def test_an_empty_cluster_gets_every_template_of_the_routes(tmp_path: Path) -> None:
    store = FakeTemplates()

    actions = _applied(store, _config(tmp_path, EKK, APP))

    assert set(actions) == {StepAction.CREATE}
    assert store.puts[-1] == "ekk"
    ekk = Template(Kind.INDEX, "ekk", store.bodies["index", "ekk"])
    assert patterns_of(ekk) == ["app-*", "app_undated", "sag-*"]


def test_applying_again_writes_nothing(tmp_path: Path) -> None:
    store = FakeTemplates()
    _applied(store, _config(tmp_path, EKK))
    store.puts.clear()

    assert set(_applied(store, _config(tmp_path, EKK))) == {StepAction.KEEP}
    assert store.puts == []


def test_a_foreign_template_stays_and_the_others_are_written(tmp_path: Path) -> None:
    store = FakeTemplates()
    store.bodies["component", "sink-settings"] = {"template": {"settings": {}}}

    actions = _applied(store, _config(tmp_path, EKK))

    assert actions.count(StepAction.FOREIGN) == 1
    assert store.bodies["component", "sink-settings"] == {"template": {"settings": {}}}
    assert store.puts == ["ekk-mappings", "sink-dynamic", "sink-text", "sink-timestamp", "ekk"]


def test_asked_to_be_strict_a_foreign_template_stops_all_writing(tmp_path: Path) -> None:
    store = FakeTemplates()
    store.bodies["index", "ekk"] = {"index_patterns": ["*"]}

    with pytest.raises(ConfigError, match="index template 'ekk'"):
        asyncio.run(templates.apply(store, _config(tmp_path, EKK), strict=True))

    assert store.puts == []


def test_two_sinks_on_one_cluster_leave_each_other_their_patterns(tmp_path: Path) -> None:
    store = FakeTemplates()
    one, two = _config(tmp_path, EKK), _config(tmp_path, APP)
    for config in (one, two):
        _applied(store, config)
    store.puts.clear()

    for config in (one, two):
        assert set(_applied(store, config)) == {StepAction.KEEP}

    ekk = Template(Kind.INDEX, "ekk", store.bodies["index", "ekk"])
    assert patterns_of(ekk) == ["app-*", "app_undated", "sag-*"]
    assert store.puts == []


def test_an_older_sink_does_not_roll_a_newer_template_back(tmp_path: Path) -> None:
    store = FakeTemplates()
    _applied(store, _config(tmp_path, EKK))
    newer = json.loads(json.dumps(store.bodies["index", "ekk"]))
    newer["_meta"]["version"] = 99
    store.bodies["index", "ekk"] = newer
    store.puts.clear()

    assert StepAction.NEWER in _applied(store, _config(tmp_path, EKK, APP))
    assert store.puts == []
    # What it lacks for the new route is said, not written.
    [finding] = asyncio.run(templates.findings(store, _config(tmp_path, EKK, APP)))
    assert "route 'app'" in finding


def test_the_operators_folder_replaces_the_shipped_templates(tmp_path: Path) -> None:
    (tmp_path / "mine" / "index").mkdir(parents=True)
    source = {"_meta": {"version": 4, "collectors": ["log"]}, "template": {}}
    (tmp_path / "mine" / "index" / "own.json").write_text(json.dumps(source))
    (tmp_path / "mine" / "README.md").write_text("not a template")
    store = FakeTemplates()

    _applied(store, _config(tmp_path, EKK, directory=tmp_path / "mine"))

    assert store.puts == ["own"]
    assert version_of(store.bodies["index", "own"]) == 4


def test_findings_name_each_route_without_a_mapping_of_its_own(tmp_path: Path) -> None:
    store = FakeTemplates()
    store.bodies["index", "logs"] = {"index_patterns": ["logs-*-*"], "priority": 100}

    found = asyncio.run(templates.findings(store, _config(tmp_path, EKK, BARE, STACK)))

    assert [finding.split(":")[0] for finding in found] == ["route 'bare'", "route 'stack'"]
    assert "no index template matches" in found[0]
    assert "'logs' instead of 'ekk'" in found[1]


def test_a_route_that_only_a_foreign_template_covers_is_no_finding(tmp_path: Path) -> None:
    store = FakeTemplates()
    own = '[[routes]]\nname = "x"\nprefix = "x-"\ncollector = "a.b:c"\nindex = { prefix = "x-" }\n'
    config = _config(tmp_path, EKK, own)
    assert len(asyncio.run(templates.findings(store, config))) == 1

    store.bodies["index", "theirs"] = {"index_patterns": ["x-*"]}

    assert asyncio.run(templates.findings(store, config)) == []


def test_a_foreign_template_in_the_way_is_a_finding(tmp_path: Path) -> None:
    store = FakeTemplates()
    store.bodies["component", "sink-dynamic"] = {}

    [finding] = asyncio.run(templates.findings(store, _config(tmp_path, EKK)))

    assert finding.startswith("foreign component template 'sink-dynamic'")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeTemplates:
    """The cluster that the command line reaches."""
    store = FakeTemplates()
    monkeypatch.setattr("sink.edge.elastic.Elastic", lambda _: store)
    return store


def _run(tmp_path: Path, *words: str, routes: tuple[str, ...] = (EKK,)) -> Result:
    return CliRunner().invoke(command, list(words), obj=_file(tmp_path, *routes))


def test_plan_prints_a_line_for_each_template_and_writes_nothing(
    tmp_path: Path, store: FakeTemplates
) -> None:
    result = _run(tmp_path, "plan")

    words = [line.split()[:3] for line in result.output.split("\n\n")[0].splitlines()[1:]]
    assert words == [
        ["create", "component", "ekk-mappings"],
        ["create", "component", "sink-dynamic"],
        ["create", "component", "sink-settings"],
        ["create", "component", "sink-text"],
        ["create", "component", "sink-timestamp"],
        ["create", "index", "ekk"],
    ]
    assert (result.exit_code, store.puts) == (0, [])


def test_plan_shows_what_an_update_changes(tmp_path: Path, store: FakeTemplates) -> None:
    _run(tmp_path, "apply")

    result = _run(tmp_path, "plan", routes=(EKK, APP))

    assert '+    "app-*",' in result.output.splitlines()
    [update] = [
        entry
        for entry in json.loads(_run(tmp_path, "plan", "--json", routes=(EKK, APP)).output)
        if entry["action"] == "update"
    ]
    assert update["name"] == "ekk"
    assert '+    "app-*",' in update["diff"].splitlines()


def test_apply_writes_and_says_what_it_did(tmp_path: Path, store: FakeTemplates) -> None:
    result = _run(tmp_path, "apply", "--json")

    assert [entry["name"] for entry in json.loads(result.output)] == store.puts
    assert result.exit_code == 0


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_foreign_template_in_the_way_is_exit_code_1(
    tmp_path: Path, store: FakeTemplates, verb: str
) -> None:
    store.bodies["index", "ekk"] = {"index_patterns": ["*"]}

    result = _run(tmp_path, verb)

    assert result.exit_code == 1
    assert "foreign" in result.output


def test_list_shows_the_sinks_own_templates_only(tmp_path: Path, store: FakeTemplates) -> None:
    store.bodies["index", "theirs"] = {"index_patterns": ["x-*"]}
    _run(tmp_path, "apply")

    listed = json.loads(_run(tmp_path, "list", "--json").output)

    assert [entry["name"] for entry in listed] == [*sorted(store.puts[:-1]), "ekk"]
    assert listed[-1]["index_patterns"] == ["sag-*"]
    assert "sag-*" in _run(tmp_path, "list").output.splitlines()[-1]


def test_show_prints_a_template_as_it_would_be_written(
    tmp_path: Path, store: FakeTemplates
) -> None:
    shown = json.loads(_run(tmp_path, "show", "ekk").output)
    _run(tmp_path, "apply")

    assert shown == store.bodies["index", "ekk"]


def test_show_of_an_unknown_name_is_a_usage_error_that_names_the_known(tmp_path: Path) -> None:
    result = _run(tmp_path, "show", "ekx")

    assert result.exit_code == 2
    assert "ekk-mappings" in result.output
