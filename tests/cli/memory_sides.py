"""
A Kafka and an Elasticsearch in memory, as far as `sink check` asks them, and what it answers.
"""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from click.testing import CliRunner, Result

from sink.cli import cli
from sink.config import ElasticsearchSettings
from sink.core.keeping import keeping
from sink.edge.elastic_answers import Refused
from sink.errors import Unauthorized

if TYPE_CHECKING:
    from sink.errors import Unavailable

EKK = '[[routes]]\nname = "ekk"\nprefix = "ekk-"\nindex = { prefix = "sag-" }\n'
WIDE = '[[routes]]\nname = "wide"\npattern = "e.*"\nindex = { prefix = "wide-" }\n'
KONG = '[[routes]]\nname = "kong"\ntopics = ["ekk-x", "kong"]\nindex = { prefix = "kong-" }\n'
BARE = '[[routes]]\nname = "bare"\nprefix = "bare-"\n'
NO_ID = "A" * 22
_ALL = frozenset({"READ", "WRITE"})


class MemoryBrokers:
    """Brokers that hold topics and allow everything, unless told otherwise."""

    def __init__(self) -> None:
        self.limits = {"ekk-order.service": 1000, "ekk-x": 1000, "sink-dlq.log-sink": 2000}
        self.topic_id = "x" * 22
        self.denied: set[str] = set()
        self.failure: Unavailable | None = None
        self.creating: Unavailable | None = None
        self.created: list[str] = []
        self.settings: dict[str, dict[str, str]] = {}  # of topics, where they are not as wanted
        self.hidden: set[str] = set()  # topics whose settings we may not read

    def topics(self) -> list[str]:
        if self.failure:
            raise self.failure
        return sorted(self.limits)

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(topics, self.topic_id)

    def topic_operations(self, topics: Iterable[str]) -> dict[str, frozenset[str]]:
        return {topic: frozenset() if topic in self.denied else _ALL for topic in topics}

    def message_bytes_max(self, topics: Iterable[str]) -> dict[str, int]:
        return {topic: self.limits[topic] for topic in topics}

    def topic_settings(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        if self.hidden & set(topics):
            raise Unauthorized("Kafka denies the request: Topic authorization failed.")
        return {topic: keeping(-1) | self.settings.get(topic, {}) for topic in topics}

    def create_topic(self, topic: str, *_: object, validate_only: bool = False) -> None:
        if self.creating:
            raise self.creating
        if not validate_only:
            self.created.append(topic)


class MemoryCluster:
    """A cluster without templates; security is off until it knows the privileges of a user."""

    def __init__(self) -> None:
        self.down: dict[str, Unavailable] = {}
        self.denied: Unauthorized | None = None
        self.held: set[str] | None = None
        self.no_privileges = Refused("no handler found", 400, "")
        self.health = {
            "status": "green",
            "active_shards": 10,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "number_of_data_nodes": 2,
        }
        self.settings: dict[str, Any] = {"defaults": {**per_node("1000"), **auto_create("true")}}
        self.bodies: dict[tuple[str, str], dict[str, object]] = {}
        self.ilm = True

    def answer(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if path == "/_security/user/_has_privileges":
            return self._privileges(body)
        if self.denied:
            raise self.denied
        return self.health if path == "/_cluster/health" else self.settings

    def _privileges(self, body: Mapping[str, Any]) -> dict[str, Any]:
        held = self.held
        if held is None:
            raise self.no_privileges
        index: dict[str, dict[str, bool]] = {}
        for entry in body["index"]:
            for name in entry["names"]:
                index.setdefault(name, {}).update({p: p in held for p in entry["privileges"]})
        cluster = {privilege: privilege in held for privilege in body["cluster"]}
        return {"username": "sinker", "cluster": cluster, "index": index}


def per_node(limit: str) -> dict[str, Any]:
    return {"cluster": {"max_shards_per_node": limit}}


def auto_create(setting: str) -> dict[str, Any]:
    return {"action": {"auto_create_index": setting}}


class MemoryElastic:
    """A client of that cluster."""

    def __init__(self, cluster: MemoryCluster, settings: ElasticsearchSettings) -> None:
        self.cluster = cluster
        self.hosts = settings.hosts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None: ...

    async def ping(self) -> str:
        for host in self.hosts:
            if host in self.cluster.down:
                raise self.cluster.down[host]
        return "8.19.21"

    async def ask(self, _: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        await self.ping()
        return self.cluster.answer(path.partition("?")[0], body or {})

    async def get_template(self, kind: str, name: str) -> dict[str, object] | None:
        return self.cluster.bodies.get((kind, name))

    async def has_ilm(self) -> bool:
        return self.cluster.ilm

    async def plugins(self) -> frozenset[str] | None:
        return frozenset()

    async def get_templates(self, kind: str) -> dict[str, dict[str, object]]:
        return {name: body for (its, name), body in self.cluster.bodies.items() if its == kind}


def sink(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def lines(result: Result) -> dict[str, str]:
    """Subject → the line; each begins with its mark."""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    found: dict[str, str] = {}
    for line in result.stdout.splitlines():
        subject = line[2:].split("  ")[0]
        assert line[1] == " " and subject not in found, line
        found[subject] = line
    return found
