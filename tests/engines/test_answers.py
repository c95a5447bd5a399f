"""
What a real Elasticsearch answers: as recorded, and therefore as the outcome table expects.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.elasticsearch import VERSION
from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.lane import dry_run
from sink.core.outcome import Outcome, judge
from tests.engines.answers import CASES, index_of
from tests.engines.refusing import ADMIN, Node
from tests.recorded import load, of_major, told

# Recorded from a node with stand-ins for what this build lacks: the failure store.
_BY_HAND = {"kept_in_failure_store"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder: Path = tmp_path_factory.mktemp("refusing") / "node"
    with Node(folder, os.environ.get("ES_VERSION", VERSION)) as node:
        yield node


@pytest.mark.parametrize("case", CASES)
def test_elasticsearch_answers_as_recorded(node: Node, case: str) -> None:
    recorded = of_major(case, node.engine.version)

    answered = CASES[case](node, index_of(case))

    assert told(answered) == told(recorded.reply)


def test_whatever_is_recorded_can_be_provoked() -> None:
    assert {recorded.case for recorded in load()} - _BY_HAND == CASES.keys()


@pytest.mark.parametrize("user", [ADMIN, "adder"])
def test_a_dry_run_on_a_fit_index_is_a_documents_fault_and_writes_nothing(
    node: Node, user: str
) -> None:
    index = f"answers-dry-{user}"
    node.client.indices.create(index=index)

    assert _dry_run(node, index, user) is Outcome.DEAD
    node.client.indices.refresh(index=index)
    assert node.client.count(index=index)["count"] == 0
    assert node.client.indices.get_mapping(index=index)[index]["mappings"] == {}


@pytest.mark.parametrize(
    ("setting", "value", "outcome"),
    [
        ("index.blocks.write", True, Outcome.PARK),
        ("index.blocks.read_only_allow_delete", True, Outcome.PARK),
        ("index.routing.allocation.require._name", "nobody", Outcome.PARK),
        ("index.default_pipeline", "nowhere", Outcome.UNCLEAR),
    ],
)
def test_a_dry_run_on_an_unfit_index_is_refused_as_a_document_would_be(
    node: Node, setting: str, value: object, outcome: Outcome
) -> None:
    index = "answers-dry-" + setting.replace(".", "-")
    node.client.indices.create(index=index, settings={setting: value}, wait_for_active_shards="0")

    assert _dry_run(node, index) is outcome


def test_a_dry_run_into_a_blocked_data_stream_is_refused(node: Node) -> None:
    stream = "answers-stream-dry"
    node.add(stream, '{"@timestamp":"2026-01-01T00:00:00Z"}')
    fit = _dry_run(node, stream)
    node.client.indices.put_settings(index=stream, settings={"index.blocks.write": True})

    assert (fit, _dry_run(node, stream)) == (Outcome.DEAD, Outcome.PARK)


def _dry_run(node: Node, index: str, user: str = ADMIN) -> Outcome:
    action = json.dumps({"create": {"_index": index, "_id": "1"}}).encode()
    question = dry_run(Bulk(Body([action, b"{}"]), [], [], [], [], 0))
    answer = judge(node.send(question.lines, user=user), 1)
    assert answer.verdicts
    return answer.verdicts[0].outcome
