"""
Shapes, pipelines, repairs and own collectors on the real engines, and their pages.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch, Kafka
from engines.ports import free_ports
from tests.engines.commanding import command
from tests.engines.oracle import ask
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.test_source_pages import _script
from tests.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_TOPICS = ("warehouse-lines", "shop-lines")
_DOCUMENTS = (
    b'{"n":1,"msg":"first","o":{"n":1}}',
    b'{"n":"x","msg":"text into a long"}',
    b'{"n":2,"msg":{"object":"into a text"}}',
    b'[{"o":{"n":"x"}},{"n":3}]',
    b'{"n":"x","msg":{"a":"second conflict"}}',
)


def _environment(status: int) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "SINK__STATUS__PORT": str(status)}


@pytest.mark.timeout(180)
def test_every_command_of_the_pages_does_what_it_says(
    kafka: Kafka, elasticsearch: Elasticsearch, tmp_path: Path
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in _TOPICS]).values():
        future.result(20)
    (status,) = free_ports(1)
    for name in ("collectors", "shaping"):
        page = (_ROOT / "docs" / f"{name}.md").read_text("utf-8")
        page = page.replace('    pipeline = "logs"\n', "").replace(".run/own", str(tmp_path))
        script = _script(page, kafka.bootstrap_servers, elasticsearch.url, str(status), tmp_path)

        done = subprocess.run(
            ["timeout", "80", "bash", "-e", "-o", "pipefail", "-c", script],
            cwd=_ROOT,
            env=_environment(status),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

        assert done.returncode == 0, f"{name}: {done.stdout}"


def _ledger(sink: SinkProcess, setup: Setup) -> dict[str, int]:
    return sink.ledger().get(setup.topic("a"), {})


def test_fields_in_conflict_are_kept_beside_and_a_second_conflict_is_dead(setup: Setup) -> None:
    """And every document goes through the pipeline of its route."""
    ask(setup, "PUT", f"/_ingest/pipeline/{setup.name}", {"processors": []})
    properties = {
        "n": {"type": "long"},
        "msg": {"type": "text"},
        "o": {"properties": {"n": {"type": "long"}}},
    }
    index = f"/{setup.name}-a_2026-02-01"
    ask(setup, "PUT", index, {"mappings": {"properties": properties}})
    setup.settings["more"] = (
        f'repair = "conflict_field"\npipeline = "{setup.name}"\n'
        '[routes.shape]\nmetadata = { offset = "offset" }\n'
    )
    create_topics(setup, {"a": 1})
    produce(setup, "a", _DOCUMENTS, timestamp=1_769_904_000_000)

    with SinkProcess(setup) as sink:
        wait_until(lambda: _ledger(sink, setup).get("consumed") == 6, 40, "all to be read")
        wait_until(lambda: not _ledger(sink, setup)["in_flight"], 20, "all to be done")
        ledger = _ledger(sink, setup)
        assert sink.terminate() == 0

    assert {fate: n for fate, n in ledger.items() if n} == {
        "consumed": 6,
        "indexed": 2,
        "repaired": 3,
        "dead": 1,
    }
    ask(setup, "POST", f"{index}/_refresh")
    hits = ask(setup, "GET", f"{index}/_search?size=20")["hits"]["hits"]
    found = {hit["_id"].rpartition("-")[2]: hit["_source"] for hit in hits}
    assert found["1"]["n_conflict"] == "x"
    assert found["1"]["sink.repaired"] == ["n"]
    assert found["2"]["msg_conflict"] == '{"object":"into a text"}'
    assert [hit["_source"]["o"] for hit in hits if hit["_id"].endswith("-3-0")] == [
        {"n_conflict": "x"}
    ]
    assert all("offset" in hit["_source"] for hit in hits)
    (group,) = command(setup, "dlq", "list", "--json").json()["groups"]
    assert group["documents"] == 1
    audit = command(setup, "audit", "--topic", setup.topic("a"), "--surplus", "--json").json()
    assert (audit["counts"]["indexed"], audit["counts"]["dead"]) == (5, 1)
    assert audit["findings"] == []
    again = command(setup, "replay", "--topic", setup.topic("a"), "--from", "0", "--json").json()
    assert again["fates"] == {"duplicate": 5, "refused": 1}
