"""
Elasticsearch takes only so much in a request, or at a time.
"""

from engines import Elasticsearch
from engines.process import Setting
from tests.engines.brokering import create_topic, until_committed
from tests.engines.oracle import dead_places, headers_of, parked_places, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.tampering import Tampering

_GIANT_BYTES = 1_200_000  # more than the node takes in a request
_TAKES_BYTES = 1024 * 1024


def _node(stage: Stage, **settings: Setting) -> Elasticsearch:
    named = {key.replace("__", "."): value for key, value in settings.items()}
    node = Elasticsearch(stage.folder / "small", heap="512m", fast_start=True, settings=named)
    stage.started(node)
    return node


@scenario(
    "14",
    "A document longer than Elasticsearch takes in a request (413), among good ones",
    "it alone is dead-lettered, and the limit that was learned is kept to",
    size="1 MB in place of 100 MB as the limit, 1.2 MB in place of 150 MB: a limit is a limit",
)
def a_document_that_is_too_large(stage: Stage) -> None:
    node = _node(stage, http__max_content_length="1mb")
    with Tampering(node) as front:
        setup = stage.setup(elasticsearch=node, url=front.url, bulk="bytes_max = 3_000_000")
        create_topic(setup, "a", 1, max_message_bytes="3000000")
        before = stage.random.randrange(1, 15_000)
        giant = b'{"logtime":1795252441945,"n":%d,"msg":"%b"}' % (before, b"x" * _GIANT_BYTES)
        sink = stage.sink(setup)
        sink.until_shared_out()
        produce(setup, "a", numbered(0, before))
        produce(setup, "a", [giant])
        produce(setup, "a", numbered(before + 1, 30_000))
        until_committed(setup, "a", before + 30_001, 60)
        refused = [bulk for bulk in front.bulks if bulk.status == 413]
        produce(setup, "a", numbered(before + 30_001, 20_000))
        until_committed(setup, "a", before + 50_001, 60)
        assert sink.terminate() == 0
        again = sum(bulk.status == 413 for bulk in front.bulks) - len(refused)
        large = max(bulk.size_bytes for bulk in front.bulks if bulk.status == 200)
        stage.note(f"{len(refused)} refused, {again} later; bulks of up to {large / 1e6:.2f} MB")
        assert again == 0, f"{again} bulks over the limit that was learned"
        assert 64_000 < large <= _TAKES_BYTES
    (letter,) = read_topic(setup, [setup.dead_letter_topic])
    assert headers_of(letter)["sink.error_type"] == "status_413"
    assert letter.value() == giant
    assert stage.judge(setup, ["a"]) == before + 50_001


@scenario(
    "s10",
    "Bulks larger than the node's indexing pressure are refused with 429 each time",
    "a bulk is halved until it fits, and the others are cut without being sent; no document is "
    "dead-lettered for it",
)
def bulks_over_the_indexing_pressure(stage: Stage) -> None:
    node = _node(stage, indexing_pressure__memory__limit="1mb", node__processors=1)
    with Tampering(node) as front:
        bulk = "bytes_max = 3_000_000\ndocs_max = 15_000"
        setup = stage.setup(elasticsearch=node, url=front.url, bulk=bulk)
        create_topics(setup, {"a": 2})
        produce(setup, "a", numbered(0, 16_000))
        sink = stage.sink(setup)
        until_committed(setup, "a", 16_000, 120)
        assert sink.terminate() == 0
        refused = [len(b.ids) for b in front.bulks if b.status == 429]
        taken = [len(b.ids) for b in front.bulks if b.status == 200]
        stage.note(
            f"{len(refused)} refusals of {len(front.bulks)} bulks; the largest refused: "
            f"{max(refused):,} documents, the largest that was taken: {max(taken):,}"
        )
        assert max(refused) > max(taken), "no bulk was halved"
    assert dead_places(setup) == parked_places(setup) == set()
    assert stage.judge(setup, ["a"]) == 16_000
