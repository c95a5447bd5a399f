"""
Templates compared, rolled back and simulated, on the command line and with a cluster in memory.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sink.cli.templates import templates as command
from sink.core.template_body import Body, content, previous_of, signed, version_of
from sink.testing import FakeTemplates

EKK = '[[routes]]\nname = "ekk"\nprefix = "ekk-"\nindex = { prefix = "sag-" }\n'
APP = '[[routes]]\nname = "app"\nprefix = "app-"\nindex = { name = "app-%Y.%m.%d" }\n'
STREAM = """[[routes]]
name = "zap"
prefix = "zap-"
collector = "zap"
index = { data_stream = "logs-zap_{topic}-prod" }
"""
MORE_STREAMS = (
    STREAM.replace("zap-", "more-")
    .replace("logs-zap_", "logs-more_")
    .replace('name = "zap"', 'name = "more"')
)
KEEP = "[lifecycle]\nkeep_days = 30\n"
SETTINGS = ("component", "sink-settings")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeTemplates:
    store = FakeTemplates()
    monkeypatch.setattr("sink.edge.elastic.Elastic", lambda _: store)
    return store


@pytest.fixture
def upgraded(tmp_path: Path, store: FakeTemplates) -> Body:
    """A cluster whose settings were written by an older sink first: what that wrote."""
    _run(tmp_path, "apply")
    old = json.loads(json.dumps(content(store.bodies[SETTINGS])))
    old["_meta"]["version"] = 0
    old["template"]["settings"]["index"]["refresh_interval"] = "77s"
    store.bodies[SETTINGS] = signed(old)
    _run(tmp_path, "apply")
    store.puts.clear()
    return content(signed(old))


def _run(tmp_path: Path, *words: str, text: str = EKK) -> Result:
    file = tmp_path / "sink.toml"
    file.write_text(text)
    return CliRunner().invoke(command, list(words), obj=file)


def _actions(tmp_path: Path, *words: str) -> dict[str, str]:
    return {each["name"]: each["action"] for each in json.loads(_run(tmp_path, *words).output)}


def test_where_nothing_differs_diff_says_so(tmp_path: Path, store: FakeTemplates) -> None:
    _run(tmp_path, "apply", text=KEEP + EKK)

    result = _run(tmp_path, "diff", text=KEEP + EKK)

    assert (result.exit_code, result.output) == (0, "nothing differs\n")
    assert json.loads(_run(tmp_path, "diff", "--json", text=KEEP + EKK).output) == []


@pytest.mark.parametrize("ilm", [True, False])
def test_what_is_left_out_and_an_alias_that_is_there_are_no_differences(
    tmp_path: Path, store: FakeTemplates, ilm: bool
) -> None:
    store.ilm = ilm
    alias = KEEP + EKK.replace('prefix = "sag-"', 'name = "audit"')
    _run(tmp_path, "apply", text=alias)

    assert _run(tmp_path, "diff", text=alias).output == "nothing differs\n"


def test_diff_shows_what_is_not_there_yet_and_fails(tmp_path: Path, store: FakeTemplates) -> None:
    result = _run(tmp_path, "diff", text=KEEP + EKK)

    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert "+++ policy/sink-delete-62d wanted" in lines and "--- /dev/null" in lines
    assert '+      "min_age": "62d"' in lines
    assert store.puts == []


def test_diff_shows_a_change_by_hand_that_no_version_tells(
    tmp_path: Path, store: FakeTemplates
) -> None:
    _run(tmp_path, "apply", text=KEEP + EKK)
    settings = store.bodies[SETTINGS]["template"]["settings"]["index"]
    settings["refresh_interval"] = "77s"
    store.bodies["policy", "sink-delete-62d"]["phases"]["delete"]["min_age"] = "99d"

    result = _run(tmp_path, "diff", "--json", text=KEEP + EKK)

    assert result.exit_code == 1
    found: Any = {each["name"]: each["diff"].splitlines() for each in json.loads(result.output)}
    assert set(found) == {"sink-settings", "sink-delete-62d"}
    assert '-      "index.refresh_interval": "77s"' in [
        line.rstrip(",") for line in found["sink-settings"]
    ]
    assert '+      "min_age": "62d"' in found["sink-delete-62d"]


def test_an_update_keeps_the_version_before_in_the_template_itself(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    previous = previous_of(store.bodies[SETTINGS])
    assert previous is not None and content(previous) == upgraded

    (row,) = json.loads(_run(tmp_path, "rollback", "--json").output)
    assert row == {"kind": "component", "name": "sink-settings", "version": 1, "previous": 0}
    assert "sink-settings" in _run(tmp_path, "rollback").output


def test_a_pattern_more_is_no_version_to_go_back_to(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    _run(tmp_path, "apply", text=EKK + APP)

    assert store.puts == ["ekk"]
    assert previous_of(store.bodies["index", "ekk"]) is None


def test_rollback_shows_the_change_and_writes_it_only_when_told(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    shown = _run(tmp_path, "rollback", "sink-settings")

    assert store.puts == []
    assert '+      "index.refresh_interval": "77s"' in [
        line.rstrip(",") for line in shown.output.splitlines()
    ]
    assert "next index" in shown.output and "--yes" in shown.output

    done = _run(tmp_path, "rollback", "sink-settings", "--yes")

    assert done.exit_code == 0
    assert content(store.bodies[SETTINGS]) == upgraded
    assert "No sink writes the version again" in done.output


def test_no_sink_writes_again_what_was_rolled_back_until_it_wants_another(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    _run(tmp_path, "rollback", "sink-settings", "--yes")
    store.puts.clear()

    assert _actions(tmp_path, "apply", "--json")["sink-settings"] == "held"
    assert store.puts == []
    assert "rolled back to version 0" in _run(tmp_path, "plan").output
    assert _run(tmp_path, "diff").exit_code == 1

    store.version = "8.13.0"  # a reason to want other settings
    assert _actions(tmp_path, "apply", "--json")["sink-settings"] == "update"
    assert version_of(store.bodies[SETTINGS]) == 1


def _days(keep_days: int, *routes: str) -> str:
    return f"[lifecycle]\nkeep_days = {keep_days}\n" + "".join(routes)


@pytest.fixture
def aged(tmp_path: Path, store: FakeTemplates) -> str:
    """The template of data streams that were kept 3 days, then 5: its name."""
    for days in (3, 5):
        _run(tmp_path, "apply", text=_days(days, STREAM))
    (name,) = [name for _, name in store.bodies if "-data-stream-lifecycle-" in name]
    assert _policy(store, name) == "sink-rollover-30d-50gb-delete-5d"
    return name


def _policy(store: FakeTemplates, name: str) -> object:
    return store.bodies["index", name]["template"]["settings"]["index"]["lifecycle"]["name"]


def test_a_data_stream_that_was_rolled_back_is_held_until_its_lifecycle_changes(
    tmp_path: Path, store: FakeTemplates, aged: str
) -> None:
    _run(tmp_path, "rollback", aged, "--yes", text=_days(5, STREAM))

    for verb in ("plan", "apply"):
        found = json.loads(_run(tmp_path, verb, "--json", text=_days(5, STREAM)).output)
        assert {each["name"]: each["action"] for each in found}[aged] == "held"
    assert _policy(store, aged) == "sink-rollover-30d-50gb-delete-3d"

    _run(tmp_path, "apply", text=_days(7, STREAM))
    assert _policy(store, aged) == "sink-rollover-30d-50gb-delete-7d"


def test_a_data_stream_that_was_rolled_back_twice_is_as_before(
    tmp_path: Path, store: FakeTemplates, aged: str
) -> None:
    for _ in range(2):
        _run(tmp_path, "rollback", aged, "--yes", text=_days(5, STREAM))
    store.puts.clear()

    _run(tmp_path, "apply", text=_days(5, STREAM))

    assert store.puts == []
    assert _policy(store, aged) == "sink-rollover-30d-50gb-delete-5d"


def test_more_data_streams_leave_the_version_before_where_it_is(
    tmp_path: Path, store: FakeTemplates
) -> None:
    _run(tmp_path, "apply", text=STREAM)
    name = ("index", "zap-data-stream")
    old = json.loads(json.dumps(content(store.bodies[name])))
    old["priority"] -= 1
    store.bodies[name] = signed(old)
    _run(tmp_path, "apply", text=STREAM)

    _run(tmp_path, "apply", text=STREAM + MORE_STREAMS)

    previous = previous_of(store.bodies[name])
    assert previous is not None and content(previous) == content(signed(old))
    _run(tmp_path, "rollback", name[1], "--yes", text=STREAM + MORE_STREAMS)
    store.puts.clear()
    _run(tmp_path, "apply", text=STREAM + MORE_STREAMS)
    assert store.puts == []
    assert store.bodies[name]["priority"] == old["priority"]
    assert len(store.bodies[name]["index_patterns"]) == 2


def test_settings_that_come_back_as_texts_are_rolled_back_and_held(
    tmp_path: Path, store: FakeTemplates
) -> None:
    own = tmp_path / "own"
    (own / "index").mkdir(parents=True)
    text = f'[templates]\ndir = "{own}"\n{EKK}'
    for replicas in (0, 1):
        body = {
            "_meta": {"version": 1, "collectors": ["log"]},
            "template": {"settings": {"number_of_replicas": replicas}},
        }
        (own / "index" / "mine.json").write_text(json.dumps(body))
        _run(tmp_path, "apply", text=text)

    _run(tmp_path, "rollback", "mine", "--yes", text=text)
    found = json.loads(_run(tmp_path, "apply", "--json", text=text).output)

    assert {each["name"]: each["action"] for each in found} == {"mine": "held"}
    settings = store.bodies["index", "mine"]["template"]["settings"]
    assert settings == {"index": {"number_of_replicas": "0"}}


def test_a_change_by_hand_that_more_patterns_write_over_can_be_brought_back(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    store.bodies["index", "ekk"]["priority"] = 77

    _run(tmp_path, "apply", text=EKK + APP)

    previous = previous_of(store.bodies["index", "ekk"])
    assert previous is not None and previous["priority"] == 77


def test_rolled_back_twice_is_as_before(
    tmp_path: Path, store: FakeTemplates, upgraded: Body
) -> None:
    new = content(store.bodies[SETTINGS])

    for _ in range(2):
        _run(tmp_path, "rollback", "sink-settings", "--yes")

    assert content(store.bodies[SETTINGS]) == new
    assert set(_actions(tmp_path, "apply", "--json").values()) == {"keep"}


def test_an_index_template_that_was_rolled_back_still_gets_the_patterns_of_new_routes(
    tmp_path: Path, store: FakeTemplates
) -> None:
    _run(tmp_path, "apply")
    old = json.loads(json.dumps(content(store.bodies["index", "ekk"])))
    old["_meta"]["version"], old["priority"] = 1, 89
    store.bodies["index", "ekk"] = signed(old)
    _run(tmp_path, "apply")
    _run(tmp_path, "rollback", "ekk", "--yes")

    _run(tmp_path, "apply", text=EKK + APP)

    body = store.bodies["index", "ekk"]
    assert (body["priority"], version_of(body)) == (89, 1)
    assert body["index_patterns"] == ["app-*", "app_undated", "sag-*"]
    store.puts.clear()
    _run(tmp_path, "apply", text=EKK + APP)
    assert store.puts == [], "it is still held"


@pytest.mark.parametrize(
    ("name", "said"), [("ekk", "no previous version"), ("nothing", "no template 'nothing'")]
)
def test_what_cannot_be_rolled_back_is_said_and_nothing_is_written(
    tmp_path: Path, store: FakeTemplates, upgraded: Body, name: str, said: str
) -> None:
    result = _run(tmp_path, "rollback", "sink-settings", name, "--yes")

    assert result.exit_code != 0
    assert said in str(result.exception)
    assert store.puts == []


def test_simulate_tells_what_the_next_index_of_a_topic_gets(
    tmp_path: Path, store: FakeTemplates
) -> None:
    _run(tmp_path, "apply", text=KEEP + EKK)

    found = json.loads(_run(tmp_path, "simulate", "ekk-order", "--json").output)
    text = _run(tmp_path, "simulate", "ekk-order").output

    assert found["route"] == "ekk"
    assert found["target"].startswith("sag-order_2") and found["target"].endswith("-01")
    assert found["template"].startswith("ekk-lifecycle-")
    assert found["settings"]["index"]["lifecycle"] == {"name": "sink-delete-62d"}
    assert found["mappings"]["properties"]["@timestamp"]["type"] == "date"
    assert found["target"] in text and "sink-delete-62d" in text


def test_simulate_asks_for_what_the_alias_rolls_over_to(
    tmp_path: Path, store: FakeTemplates
) -> None:
    text = KEEP + EKK.replace('prefix = "sag-"', 'name = "audit"')
    _run(tmp_path, "apply", text=text)

    found = json.loads(_run(tmp_path, "simulate", "ekk-x", "--json", text=text).output)

    assert found["target"] == "audit-000002"
    assert found["settings"]["index"]["lifecycle"]["rollover_alias"] == "audit"


def test_simulate_says_where_no_template_matches(tmp_path: Path, store: FakeTemplates) -> None:
    assert "Elasticsearch guesses" in _run(tmp_path, "simulate", "ekk-order").output


def test_simulate_of_a_topic_without_a_route_is_a_mistake(
    tmp_path: Path, store: FakeTemplates
) -> None:
    result = _run(tmp_path, "simulate", "other")

    assert result.exit_code != 0
    assert "no route matches the topic 'other'" in str(result.exception)


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_what_is_written_says_that_it_is_for_the_next_index(
    tmp_path: Path, store: FakeTemplates, verb: str
) -> None:
    assert "next index" in _run(tmp_path, verb).output
