"""
What `sink check` finds at Elasticsearch.
"""

import json
from pathlib import Path

import pytest

from sink.edge.elastic_answers import Refused
from sink.errors import Unauthorized, Unavailable
from tests.cli.memory_sides import (
    BARE,
    EKK,
    WIDE,
    MemoryCluster,
    auto_create,
    lines,
    per_node,
    sink,
)

pytestmark = pytest.mark.usefixtures("brokers", "cluster")


def test_when_elasticsearch_is_down_one_line_says_so_and_kafka_is_still_asked(
    file: Path, cluster: MemoryCluster
) -> None:
    cluster.down["http://localhost:9200"] = Unavailable("does not\nanswer")

    result = sink("check")

    marks = {subject: line[0] for subject, line in lines(result).items()}
    assert marks.pop("Elasticsearch") == "✗"
    assert set(marks.values()) == {"✓"} and "topic ids" in marks and "templates" not in marks
    assert "does not answer → start it, or correct elasticsearch.hosts" in result.stdout
    assert result.exit_code == 1


def test_one_node_of_two_that_is_down_is_a_warning(file: Path, cluster: MemoryCluster) -> None:
    file.write_text(EKK + '[elasticsearch]\nhosts = ["http://a:9200", "http://b:9200"]\n')
    cluster.down["http://a:9200"] = Unavailable("no answer")

    result = sink("check")

    assert "! Elasticsearch" in result.stdout and "✓ Elasticsearch" in result.stdout
    assert "✓ templates" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ('api_key = "k"', "correct elasticsearch.api_key"),
        ('basic_auth = "me:pw"', "correct elasticsearch.basic_auth"),
        ("", "set elasticsearch.api_key or elasticsearch.basic_auth (or a file of either)"),
    ],
)
def test_refused_credentials_of_elasticsearch_name_the_setting(
    file: Path, cluster: MemoryCluster, setting: str, remedy: str
) -> None:
    file.write_text(f"{EKK}[elasticsearch]\n{setting}\n")
    cluster.down["http://localhost:9200"] = Unauthorized("401")

    assert lines(sink("check"))["Elasticsearch"].endswith(f"401 → {remedy}")


def test_the_privileges_that_are_needed_are_enough(file: Path, cluster: MemoryCluster) -> None:
    cluster.held = {"manage_index_templates", "create_index", "create_doc"}

    told = {subject: line for subject, line in lines(sink("check")).items() if "privil" in subject}

    assert [*told] == ["privileges"]
    assert told["privileges"].startswith("✓ ")


def test_who_may_make_indices_by_bulks_only_is_told_what_does_not_happen(
    file: Path, cluster: MemoryCluster
) -> None:
    cluster.held = {"manage_index_templates", "auto_configure", "create_doc"}

    result = sink("check")

    assert "privileges" not in lines(result)
    assert lines(result)["privileges: indices ahead"].startswith("! ")
    assert "create_index on sag-*: the next period's indices are not made" in result.stdout
    assert result.exit_code == 0
    file.write_text(EKK.replace("{ ", "{ create_ahead = false, "))
    assert "privileges: indices ahead" not in lines(sink("check"))


def test_a_limit_of_new_names_needs_to_know_which_are_there(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK.replace("{ prefix = ", "{ name = ").replace("sag-", "sag-{service}"))
    cluster.held = {"manage_index_templates", "create_index", "create_doc"}

    result = sink("check")

    line = lines(result)["privileges: new names"]
    assert line.startswith("! ") and "view_index_metadata on sag-*" in line
    assert result.exit_code == 0


def test_a_data_stream_needs_more_for_a_field_that_is_new(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK.replace('prefix = "sag-"', 'data_stream = "logs-a-b"'))
    cluster.held = {"manage_index_templates", "create_index", "create_doc"}

    result = sink("check")

    line = lines(result)["privileges: new fields"]
    assert line.startswith("✗ ") and "auto_configure or write on logs-a-b" in line
    assert result.exit_code == 1
    cluster.held |= {"auto_configure"}
    assert sink("check").exit_code == 0


@pytest.mark.parametrize(
    ("setting", "held_back"),
    [
        ("true", False),
        ("false", True),
        ("sag-*", False),
        ("+sa*,-*", False),
        ("-sag-a*,+*", True),
        ("+*,-sag-*", False),
        ("-other-*,+*", False),
        ("+other-*", True),
        ("sag-a*", True),
    ],
)
def test_a_cluster_that_holds_new_indices_back_is_told(
    file: Path, cluster: MemoryCluster, setting: str, held_back: bool
) -> None:
    cluster.settings["persistent"] = auto_create(setting)

    result = sink("check")

    line = lines(result)["new indices"]
    assert line.startswith("! " if held_back else "✓ ")
    assert (f"action.auto_create_index is {setting}" in line) is held_back
    assert result.exit_code == 0


def test_a_template_may_allow_what_the_cluster_holds_back(
    file: Path, cluster: MemoryCluster, tmp_path: Path
) -> None:
    own = tmp_path / "templates" / "index" / "mine.json"
    own.parent.mkdir(parents=True)
    body = {"_meta": {"version": 1, "collectors": ["log"]}, "allow_auto_create": True}
    own.write_text(json.dumps(body))
    file.write_text(f'{EKK}[templates]\ndir = "{own.parents[1]}"\n')
    cluster.settings["persistent"] = auto_create("false")

    assert lines(sink("check"))["new indices"].startswith("✓ ")


def test_missing_privileges_are_told_with_where_they_are_missing(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK + WIDE.replace("index =", 'op_type = "index"\nindex ='))
    cluster.held = {"create_doc"}

    result = sink("check")

    line = lines(result)["privileges"]
    assert "user sinker lacks manage_index_templates on the cluster" in line
    assert "create_index or auto_configure on sag-*" in line
    assert "index on wide-*" in line and "create_doc on" not in line
    assert result.exit_code == 1


def test_templates_need_no_privilege_when_they_are_not_applied(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK + "[templates]\napply_on_start = false\n")
    cluster.held = {"create_index", "create_doc"}

    assert lines(sink("check"))["privileges"].startswith("✓ ")


def test_a_lifecycle_needs_what_ilm_does_in_the_sinks_name(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK + "[lifecycle]\nkeep_days = 90\n")
    cluster.held = {"manage_index_templates", "create_index", "create_doc"}

    line = lines(sink("check"))["privileges"]

    assert "lacks manage_ilm on the cluster, manage on sag-* →" in line
    cluster.held |= {"manage_ilm", "manage"}
    assert lines(sink("check"))["privileges"].startswith("✓ ")


def test_a_lifecycle_behind_an_alias_needs_the_indices_behind_it(
    file: Path, cluster: MemoryCluster
) -> None:
    alias = EKK.replace('prefix = "sag-"', 'name = "audit"')
    file.write_text(alias + "[lifecycle]\nkeep_days = 90\n")
    cluster.held = {"manage_index_templates", "manage_ilm", "create_index", "create_doc"}

    assert "manage on audit, manage on audit-0*" in lines(sink("check"))["privileges"]


def test_a_lifecycle_that_the_cluster_cannot_keep_is_a_warning(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK + "[lifecycle]\nkeep_days = 90\n")
    cluster.ilm = False

    result = sink("check")

    assert lines(result)["lifecycle"].startswith("! ")
    assert "are never deleted" in lines(result)["lifecycle"]
    assert result.exit_code == 0


def test_a_lifecycle_that_no_index_can_have_is_refused(file: Path, cluster: MemoryCluster) -> None:
    file.write_text(
        EKK.replace('prefix = "sag-"', 'name = "x-{topic}"') + "[lifecycle]\nkeep_days = 90\n"
    )

    result = sink("check")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "routes.ekk.lifecycle" in result.stderr


def test_what_we_may_not_ask_is_no_success_and_no_failure(
    file: Path, cluster: MemoryCluster
) -> None:
    """
    A user with no more than the sink needs may not ask for the cluster's health.
    """
    cluster.denied = Unauthorized("403")

    result = sink("check")

    assert lines(result)["cluster health"].startswith("! ")
    assert lines(result)["cluster health"].endswith("→ grant the cluster privilege monitor")
    assert "shards" not in lines(result)
    assert result.exit_code == 0


def test_a_red_cluster_fails(file: Path, cluster: MemoryCluster) -> None:
    cluster.health |= {"status": "red", "unassigned_shards": 3}

    result = sink("check")

    assert lines(result)["cluster health"].startswith("✗ ")
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("shards", "mark", "exit_code"),
    [(1800, "✓", 0), (1801, "!", 0), (2000, "✗", 1), (2500, "✗", 1)],
)
def test_shards_are_counted_against_what_all_nodes_take(
    file: Path, cluster: MemoryCluster, shards: int, mark: str, exit_code: int
) -> None:
    cluster.health |= {"active_shards": shards - 7, "unassigned_shards": 7}

    result = sink("check")

    assert lines(result)["shards"].startswith(f"{mark} ")
    assert f"{max(2000 - shards, 0)} of 2000 are left" in lines(result)["shards"]
    assert result.exit_code == exit_code


def test_a_shard_limit_that_was_set_counts_and_not_the_default(
    file: Path, cluster: MemoryCluster
) -> None:
    cluster.settings["persistent"] = per_node("6")

    assert "2 of 12 are left" in lines(sink("check"))["shards"]


def test_a_route_whose_index_no_template_matches_fails(file: Path) -> None:
    file.write_text(EKK + BARE)

    result = sink("check")

    assert lines(result)["templates"].startswith("✗ ")
    assert "route 'bare'" in lines(result)["templates"]
    assert result.exit_code == 1


def test_templates_that_nobody_applies_fail_until_one_matches(
    file: Path, cluster: MemoryCluster
) -> None:
    file.write_text(EKK + "[templates]\napply_on_start = false\n")

    result = sink("check")
    assert lines(result)["templates"].startswith("✗ ")
    assert lines(result)["templates"].endswith("→ sink templates apply")
    assert result.exit_code == 1

    cluster.bodies["index", "mine"] = {"index_patterns": ["sag-*"]}
    result = sink("check")
    assert lines(result)["templates"].startswith("! ")
    assert result.exit_code == 0


def test_a_refused_question_about_privileges_is_not_taken_for_security_that_is_off(
    file: Path, cluster: MemoryCluster
) -> None:
    cluster.no_privileges = Refused("unknown privilege", 400, "illegal_argument_exception")

    result = sink("check")

    assert lines(result)["privileges"].startswith("✗ ")
    assert result.exit_code == 1
