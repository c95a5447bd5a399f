"""
Elasticsearch knows the sink no longer, or lets it do nothing.
"""

import time

from engines import Elasticsearch
from tests.engines.brokering import until_committed
from tests.engines.oracle import ask, committed, dead_places, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.waiting import wait_until


@scenario(
    "8",
    "while records flow, the password is changed (401 to every request), later the role loses all "
    "rights (403 to every request)",
    "nothing is dropped, dead-lettered or committed meanwhile; it says why, and goes on after the "
    "fix without a restart",
)
def credentials_are_refused_while_records_flow(stage: Stage) -> None:
    node = Elasticsearch(stage.folder / "guarded", heap="512m", fast_start=True, security=True)
    stage.started(node)
    setup = stage.setup(elasticsearch=node, bulk="docs_max = 500")
    _role(setup, rights=True)
    _password(setup, "first-word")
    secret = stage.folder / "basic_auth"
    secret.write_text("sink:first-word")
    setup.settings["elasticsearch"] = f'basic_auth_file = "{secret}"'
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 5_000))
    sink = stage.sink(setup)
    until_committed(setup, "a", 5_000)

    _password(setup, "second-word")
    produce(setup, "a", numbered(5_000, 5_000))
    _holds_everything(setup, sink, 5_000, "credentials")
    secret.write_text("sink:second-word")
    stage.healed()
    until_committed(setup, "a", 10_000, 60)
    stage.recovered()

    _role(setup, rights=False)
    produce(setup, "a", numbered(10_000, 5_000))
    _holds_everything(setup, sink, 10_000, "403")
    _role(setup, rights=True)
    stage.healed()
    until_committed(setup, "a", 15_000, 60)
    stage.recovered()
    wait_until(lambda: sink.reasons() == {}, 20, "ready again")
    assert sink.terminate() == 0
    assert dead_places(setup) == set()
    assert stage.judge(setup, ["a"]) == 15_000
    assert len(indexed_numbers(setup)) == 15_000


def _role(setup: Setup, *, rights: bool) -> None:
    indices = [{"names": ["*"], "privileges": ["create_doc", "auto_configure", "manage"]}]
    cluster = ["monitor", "manage_index_templates"]
    role = {"cluster": cluster, "indices": indices if rights else []}
    ask(setup, "PUT", "/_security/role/sink", role)


def _password(setup: Setup, word: str) -> None:
    ask(setup, "PUT", "/_security/user/sink", {"password": word, "roles": ["sink"]})


def _holds_everything(setup: Setup, sink: SinkProcess, offsets: int, reason: str) -> None:
    """
    Wait until the sink says why it takes nothing, and look that nothing moved for a while.
    """
    wait_until(
        lambda: reason in sink.reasons().get("elasticsearch", ""), 30, f"the reason, {reason}"
    )
    until_s = time.monotonic() + 5
    while time.monotonic() < until_s:
        assert sum(committed(setup, [setup.topic("a")]).values()) == offsets
        assert sink.get("/health/live")[0] == 200
    assert dead_places(setup) == set()
