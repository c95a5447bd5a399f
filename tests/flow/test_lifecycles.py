"""
Lifecycles with a cluster in memory: which index is under which policy, and what is never deleted.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sink import templates
from sink.config import Config, load
from sink.core.template import Kind
from sink.core.template_plan import StepAction
from sink.errors import ConfigError
from sink.testing import FakeTemplates

MONTH = '[[routes]]\nname = "month"\nprefix = "m-"\nindex = { prefix = "sag-" }\n'
DAY = '[[routes]]\nname = "day"\nprefix = "d-"\nindex = { name = "app-{topic}-%Y.%m.%d" }\n'
ALIAS = '[[routes]]\nname = "alias"\nprefix = "a-"\nindex = { name = "audit" }\n'
STREAM = '[[routes]]\nname = "stream"\nprefix = "s-"\nindex = { data_stream = "logs-{topic}-p" }\n'
KEEP = "[lifecycle]\nkeep_days = 90\nwarm_days = 7\n"
ROLLED = "sink-rollover-30d-50gb-warm-7d-delete-90d"


def _config(tmp_path: Path, *parts: str) -> Config:
    file = tmp_path / "sink.toml"
    file.write_text("".join(sorted(parts, key=lambda part: part.startswith("[["))))
    return load(file)


def _apply(store: FakeTemplates, config: Config) -> dict[str, StepAction]:
    steps = asyncio.run(templates.apply(store, config))
    return {step.template.name: step.action for step in steps}


def _policy(store: FakeTemplates, index: str) -> str | None:
    """The policy that an index of a name would be under."""
    answer: dict[str, Any] = asyncio.run(store.simulate_index(index))
    name = answer["template"]["settings"]["index"].get("lifecycle", {}).get("name")
    assert name is None or (Kind.POLICY, name) in store.bodies, "ILM reports such an index"
    return name if name is None else str(name)


def test_without_a_lifecycle_nothing_is_asked_of_ilm_and_nothing_is_deleted(
    tmp_path: Path,
) -> None:
    store = FakeTemplates(ilm=False)

    actions = _apply(store, _config(tmp_path, MONTH, DAY, ALIAS, STREAM))

    assert set(actions.values()) == {StepAction.CREATE}
    assert "lifecycle" not in str(store.bodies)
    assert store.indices == {}


def test_each_kind_of_index_gets_the_policy_that_fits_it(tmp_path: Path) -> None:
    store = FakeTemplates()

    _apply(store, _config(tmp_path, KEEP, MONTH, DAY, ALIAS, STREAM))

    assert _policy(store, "sag-order_2026-11-01") == "sink-warm-39d-delete-122d"
    assert _policy(store, "app-order-2026.11.30") == "sink-warm-9d-delete-92d"
    assert _policy(store, "audit-000002") == ROLLED
    assert _policy(store, "logs-order-p") == ROLLED


def test_what_gets_documents_for_ever_is_under_no_policy(tmp_path: Path) -> None:
    """Counted from its creation an index that has no period would be deleted with new documents."""
    store = FakeTemplates()

    _apply(store, _config(tmp_path, KEEP, MONTH, DAY))

    assert _policy(store, "sag-order_undated") is None
    assert _policy(store, "app-order_undated") is None
    assert _policy(store, "sag-overflow_2026-11-01") == "sink-warm-39d-delete-122d"


def test_an_alias_gets_its_first_index_after_its_template_and_once(tmp_path: Path) -> None:
    store, config = FakeTemplates(), _config(tmp_path, KEEP, ALIAS)

    first, second = _apply(store, config), _apply(store, config)

    assert (first["audit"], second["audit"]) == (StepAction.CREATE, StepAction.KEEP)
    assert store.puts[0] == ROLLED and store.puts[-1] == "audit"
    assert store.indices == {"audit-000001": {"aliases": {"audit": {"is_write_index": True}}}}
    answer: dict[str, Any] = asyncio.run(store.simulate_index("audit-000001"))
    lifecycle = answer["template"]["settings"]["index"]["lifecycle"]
    assert lifecycle == {"name": ROLLED, "rollover_alias": "audit"}


def test_an_index_where_the_alias_should_be_is_told_and_left(tmp_path: Path) -> None:
    store, config = FakeTemplates(), _config(tmp_path, KEEP, ALIAS)
    store.indices["audit"] = {}

    assert _apply(store, config)["audit"] is StepAction.FOREIGN
    assert store.indices == {"audit": {}}
    (said,) = asyncio.run(templates.findings(store, config))
    assert said.startswith("foreign alias 'audit'") and "_reindex" in said


def test_a_policy_that_is_there_is_never_written_again(tmp_path: Path) -> None:
    """Somebody may have raised a number by hand, so that indices are not deleted."""
    store, config = FakeTemplates(), _config(tmp_path, KEEP, MONTH)
    _apply(store, config)
    policy = store.bodies[Kind.POLICY, "sink-warm-39d-delete-122d"]
    policy["phases"]["delete"]["min_age"] = "1000d"

    again = _apply(store, config)

    assert again["sink-warm-39d-delete-122d"] is StepAction.KEEP
    assert store.policy_versions == {"sink-warm-39d-delete-122d": 1}


def test_indices_are_not_put_under_a_foreign_policy(tmp_path: Path) -> None:
    store, config = FakeTemplates(), _config(tmp_path, KEEP, MONTH)
    theirs = {"phases": {"delete": {"min_age": "1d", "actions": {"delete": {}}}}}
    store.bodies[Kind.POLICY, "sink-warm-39d-delete-122d"] = dict(theirs)

    actions = _apply(store, config)

    assert actions["sink-warm-39d-delete-122d"] is StepAction.FOREIGN
    assert store.bodies[Kind.POLICY, "sink-warm-39d-delete-122d"] == theirs
    assert _policy(store, "sag-order_2026-11-01") is None


@pytest.mark.parametrize("keep", ["", '[lifecycle]\nkeep_days = "forever"\n'])
def test_a_lifecycle_that_is_taken_back_holds_for_no_further_index(
    tmp_path: Path, keep: str
) -> None:
    store = FakeTemplates()
    config = _config(tmp_path, KEEP, MONTH, ALIAS, STREAM)
    _apply(store, config)
    wide = "[lifecycle]\nkeep_days = 5\n"
    _apply(store, _config(tmp_path, wide, MONTH, ALIAS, STREAM))
    assert _policy(store, "sag-order_2026-11-01") == "sink-delete-37d"

    _apply(store, _config(tmp_path, keep, MONTH, ALIAS, STREAM))

    indices = ("sag-order_2026-11-01", "audit-000002", "logs-order-p")
    assert [_policy(store, index) for index in indices] == [None] * 3
    assert (Kind.POLICY, "sink-delete-37d") in store.bodies, "indices that are there are under it"
    store.puts.clear()
    _apply(store, _config(tmp_path, keep, MONTH, ALIAS, STREAM))
    assert store.puts == []


def test_a_routes_own_lifecycle_wins_setting_by_setting(tmp_path: Path) -> None:
    store = FakeTemplates()
    own = DAY + "lifecycle = { keep_days = 10 }\n"
    ever = ALIAS + 'lifecycle = { keep_days = "forever", rollover_gb = 5 }\n'

    _apply(store, _config(tmp_path, KEEP, MONTH, own, ever))

    assert _policy(store, "sag-order_2026-11-01") == "sink-warm-39d-delete-122d"
    assert _policy(store, "app-order-2026.11.30") == "sink-warm-9d-delete-12d"
    assert _policy(store, "audit-000001") == "sink-rollover-30d-5gb-warm-7d"


def test_an_index_that_may_be_made_days_before_its_day_is_kept_so_much_longer(
    tmp_path: Path,
) -> None:
    """A field may date a document into the future, and its index is made then."""
    dated = DAY.replace(" }", ', time_field = "ts" }') + "time_guard = { future_days = 5 }\n"

    (ahead,) = templates.destinations(_config(tmp_path, KEEP, dated))
    (by_record,) = templates.destinations(
        _config(tmp_path, KEEP, DAY + "time_guard = { future_days = 5 }\n")
    )

    assert ahead.lifecycle and ahead.lifecycle.delete_after == 90 + 1 + 5
    assert by_record.lifecycle and by_record.lifecycle.delete_after == 90 + 1 + 1


def test_rollover_alone_is_for_those_that_can(tmp_path: Path) -> None:
    store = FakeTemplates()
    slots = '[[routes]]\nname = "slots"\nprefix = "x-"\nindex = { name = "x-{topic}" }\n'

    _apply(store, _config(tmp_path, "[lifecycle]\nrollover_gb = 10\n", MONTH, STREAM, slots))

    assert _policy(store, "logs-order-p") == "sink-rollover-30d-10gb"
    assert _policy(store, "sag-order_2026-11-01") is None


@pytest.mark.parametrize(
    "index",
    [
        '{ name = "app-{topic}" }',
        '{ name = "app-%m.%d" }',
        '{ name = "app-%Y-%V" }',
        '{ name = "app-%G-%m-%d" }',
        '{ name = "%Y.%m.%d-app" }',
        "{}",
    ],
)
def test_an_index_that_cannot_grow_old_by_its_name_is_refused(tmp_path: Path, index: str) -> None:
    route = f'[[routes]]\nname = "bad"\nprefix = "x-"\nindex = {index}\n'
    with pytest.raises(ConfigError, match=r"routes\.bad\.lifecycle") as caught:
        templates.destinations(_config(tmp_path, KEEP, route))

    assert "forever" in str(caught.value)
    templates.destinations(_config(tmp_path, route))


def test_warm_after_its_end_is_refused(tmp_path: Path) -> None:
    late = "[lifecycle]\nkeep_days = 7\nwarm_days = 7\n"
    with pytest.raises(ConfigError, match="must be below keep_days"):
        templates.destinations(_config(tmp_path, late, MONTH))


def test_routes_that_may_share_an_index_and_keep_it_for_different_times_are_refused(
    tmp_path: Path,
) -> None:
    """Otherwise the audit log would be deleted with the other, by the wider pattern."""
    audit = '[[routes]]\nname = "audit"\nprefix = "u-"\nindex = { prefix = "sag-audit-" }\n'
    short = MONTH + "lifecycle = { keep_days = 8 }\n"
    for config in ((short, audit), (KEEP, short, audit)):
        with pytest.raises(ConfigError, match="'audit'"):
            templates.destinations(_config(tmp_path, *config))

    assert len(templates.destinations(_config(tmp_path, KEEP, MONTH, audit))) == 2
    far = audit.replace("sag-audit-", "audit-")
    assert len(templates.destinations(_config(tmp_path, short, far))) == 2


def test_two_sinks_with_the_same_wish_share_a_template_and_leave_each_other_alone(
    tmp_path: Path,
) -> None:
    store = FakeTemplates()
    one = _config(tmp_path, KEEP, MONTH)
    _apply(store, one)
    two = _config(tmp_path, KEEP, MONTH.replace('"m-"', '"n-"'), DAY)
    _apply(store, two)
    store.puts.clear()

    for config in (one, two):
        _apply(store, config)

    assert store.puts == []


def test_without_ilm_streams_keep_themselves_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    store, config = FakeTemplates(ilm=False), _config(tmp_path, KEEP, MONTH, ALIAS, STREAM)

    steps = asyncio.run(templates.apply(store, config))

    said = {step.template.name: step.reason for step in steps if step.action == "left out"}
    assert set(said) == {"sink-warm-39d-delete-122d", ROLLED}
    assert "route month do not roll over and are never deleted" in said["sink-warm-39d-delete-122d"]
    assert "index lifecycle management" in said[ROLLED]
    assert "'lifecycle': {" not in str(store.bodies[Kind.INDEX, "ekk"])
    assert not any(kind == Kind.POLICY for kind, _ in store.bodies) and store.indices == {}


@pytest.mark.parametrize(
    ("version", "lifecycle"),
    [("8.19.2", {"enabled": True, "data_retention": "90d"}), ("8.13.0", None)],
)
def test_a_stream_without_ilm_has_the_lifecycle_of_its_own_from_8_14(
    tmp_path: Path, version: str, lifecycle: dict[str, object] | None
) -> None:
    store = FakeTemplates(version, ilm=False)

    _apply(store, _config(tmp_path, KEEP, STREAM))

    answer = asyncio.run(store.simulate_index("logs-order-p"))
    assert answer["template"].get("lifecycle") == lifecycle


@pytest.mark.parametrize("version", ["8.5.3", "8.13.4"])
def test_an_older_cluster_gets_what_it_takes_and_the_plan_says_what_not(
    tmp_path: Path, version: str
) -> None:
    store, config = FakeTemplates(version), _config(tmp_path, MONTH)

    steps = asyncio.run(templates.apply(store, config))

    said = next(step.reason for step in steps if step.template.name == "sink-settings")
    assert "ignore_dynamic_beyond_limit" in said
    assert set(_apply(store, config).values()) == {StepAction.KEEP}
    store.version = "8.19.2"  # upgraded: it gets what it lacked, for its next index
    assert _apply(store, config)["sink-settings"] is StepAction.UPDATE
    assert "beyond_limit" in str(store.bodies[Kind.COMPONENT, "sink-settings"])


def _month(name: str, index_prefix: str) -> str:
    index = f'{{ prefix = "{index_prefix}" }}'
    return f'[[routes]]\nname = "{name}"\nprefix = "{name}-"\nindex = {index}\n'


WIDE, NARROW = _month("wide", "sag-"), _month("narrow", "sag-audit-")


@pytest.mark.parametrize("first", [(WIDE,), (NARROW,), (WIDE, NARROW)])
@pytest.mark.parametrize("second", [(WIDE,), (NARROW,), (WIDE, NARROW)])
def test_prefixes_of_which_one_begins_with_the_other_may_come_and_go(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    """Elasticsearch refuses two templates of one priority whose patterns overlap."""
    store = FakeTemplates()
    _apply(store, _config(tmp_path, KEEP, *first))

    config = _config(tmp_path, "[lifecycle]\nkeep_days = 5\n", *second)
    _apply(store, config)

    for route, index in ((WIDE, "sag-a_2026-11-01"), (NARROW, "sag-audit-a_2026-11-01")):
        if route in second:
            assert _policy(store, index) == "sink-delete-37d"
    store.puts.clear()
    _apply(store, config)
    assert store.puts == []


def test_a_route_without_a_lifecycle_is_under_none_that_was_there_for_others(
    tmp_path: Path,
) -> None:
    store = FakeTemplates()
    _apply(store, _config(tmp_path, KEEP, WIDE))

    _apply(store, _config(tmp_path, NARROW))

    assert _policy(store, "sag-audit-a_2026-11-01") is None


def test_aliases_of_which_one_begins_with_the_other_roll_over_each_for_itself(
    tmp_path: Path,
) -> None:
    store = FakeTemplates()
    topics = '[[routes]]\nname = "b"\ntopics = ["a", "a-b"]\nindex = { name = "{topic}" }\n'

    _apply(store, _config(tmp_path, KEEP, topics))

    assert sorted(store.indices) == ["a-000001", "a-b-000001"]
    for alias in ("a", "a-b"):
        answer: dict[str, Any] = asyncio.run(store.simulate_index(f"{alias}-000002"))
        lifecycle = answer["template"]["settings"]["index"]["lifecycle"]
        assert lifecycle["rollover_alias"] == alias
