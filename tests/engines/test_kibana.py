"""
The daemon's part in Kibana: what it makes fits the real indices, and records never wait for it.
"""

from urllib.parse import quote

from sink.testing import FakeKibana
from tests.engines.oracle import ask, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import QUICK, Setup, SinkProcess
from tests.waiting import wait_until


def test_records_flow_while_kibana_is_not_ready_and_then_each_topic_has_its_data_view(
    setup: Setup,
) -> None:
    """
    Only Kibana is a fake: the indices of each data view are asked for at the real Elasticsearch.
    """
    setup.settings["kafka"] = QUICK
    create_topics(setup, {"order": 1, "order.service": 1})
    produce(setup, "order", numbered(0, 30))
    produce(setup, "order.service", numbered(30, 12))
    with FakeKibana() as kibana:
        kibana.not_ready()
        setup.settings["more"] = f'[kibana]\nurl = "{kibana.url}"\nsetup_on_start = true'
        with SinkProcess(setup) as sink:
            wait_until(lambda: len(indexed_numbers(setup)) == 42, 60, "all records")
            wait_until(lambda: kibana.asked, 30, "a request to Kibana")
            assert sink.get("/health/ready")[0] == 200
            assert sink.get("/links") == (200, [])

            kibana.ready()
            wait_until(lambda: len(sink.get("/links")[1]) == 2, 60, "the links")
            links = {each["name"]: each for each in sink.get("/links")[1]}
            assert sink.terminate() == 0

        assert {each["name"]: each["title"] for each in kibana.data_views().values()} == {
            name: each["title"] for name, each in links.items()
        }
    for name, documents in {"order": 30, "order.service": 12}.items():
        indices = quote(links[name]["title"], safe=",*")
        found = ask(setup, "GET", f"/{indices}/_count?ignore_unavailable=true")
        assert found["count"] == documents, "the indices of its neighbour do not count"
