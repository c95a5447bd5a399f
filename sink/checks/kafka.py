"""
The checks that Kafka answers: topics and their indices, permissions, ids, the dead-letter topic.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sink.checks.finding import Finding, error, good, some, warning
from sink.config import Config
from sink.core.keeping import mending
from sink.core.route import Route
from sink.edge.kafka.admin import NO_TOPIC_ID, Brokers
from sink.edge.kafka.letter_topics import create_topic, topic_departures
from sink.errors import Unauthorized, Unavailable


class _Kafka(NamedTuple):
    """
    What each check has to work with.
    """

    config: Config
    routes: Sequence[Route]
    brokers: Brokers
    topics: list[str]  # all there are
    now_ms: int

    def matching(self) -> list[str]:
        return [topic for topic in self.topics if any(r.matches(topic) for r in self.routes)]


def findings(config: Config, routes: Sequence[Route], now_ms: int) -> list[Finding]:
    """
    Ask Kafka. Every wait is bounded: 5 s for the first answer, 10 s for each further one.

    Raises:
        ConfigError: librdkafka refuses what is passed through to it.
    """
    brokers = Brokers(config.kafka)
    servers = config.kafka.bootstrap_servers
    try:
        topics = brokers.topics()
    except Unavailable as failure:
        return [error("Kafka", f"{servers}: {failure}", _remedy(failure))]
    kafka = _Kafka(config, routes, brokers, topics, now_ms)
    found = [good("Kafka", f"{servers} answers, {len(topics)} topics")]
    for subject, check, remedy in _CHECKS:
        try:
            found += check(kafka)
        except Unavailable as failure:
            found.append(error(subject, str(failure), remedy))
    return found


def _remedy(failure: Unavailable) -> str:
    if isinstance(failure, Unauthorized):
        return (
            "correct kafka.sasl_username, kafka.sasl_password (or kafka.sasl_password_file) and "
            "kafka.sasl_mechanism"
        )
    return "start it, or correct kafka.bootstrap_servers and kafka.security_protocol"


def _routing(kafka: _Kafka) -> list[Finding]:
    """
    Tell the index of each topic that a route matches, and which routes wait for a topic.
    """
    taken = ((topic, [r for r in kafka.routes if r.matches(topic)]) for topic in kafka.topics)
    return [
        *(_topic(topic, routes, kafka.now_ms) for topic, routes in taken if routes),
        *(finding for route in kafka.routes for finding in _waiting(route, kafka.topics)),
    ]


def _topic(topic: str, routes: Sequence[Route], now_ms: int) -> Finding:
    first, *others = routes
    fields = [f"{{{path}}}" for path in first.names.fields]
    index = first.names.dated(first.user_topic(topic), now_ms, fields).name
    text = f"route {first.name} → {'data stream' if first.names.stream else 'index'} {index}"
    if not others:
        return good(f"topic {topic}", text)
    names = some([route.name for route in others])
    return warning(
        f"topic {topic}",
        f"{text}; also matched by {names}, but the first route takes it",
        "narrow one of them, or put the routes into the order you want",
    )


def _waiting(route: Route, topics: Sequence[str]) -> Iterator[Finding]:
    missing = [f"topic {topic} is not there" for topic in route.topics if topic not in topics]
    if not route.topics and not any(map(route.matches, topics)):
        missing = [f"no topic matches {route.pattern}"]
    for text in missing:
        yield warning(
            f"route {route.name}",
            f"{text}, or the user may not see it",
            "create the topic (the running sink finds it within 10 s), or correct the route",
        )


def _permissions(kafka: _Kafka) -> list[Finding]:
    """
    Compare what the user may do with what the sink does (KIP-430).

    Not with the group: a broker that never had one would create __consumer_offsets to answer.
    """
    dead_letters = kafka.config.dead_letter_topic
    wanted = dict.fromkeys(kafka.matching(), "READ")
    if dead_letters in kafka.topics:
        wanted[dead_letters] = "WRITE"
    if not wanted:
        return []
    allowed = kafka.brokers.topic_operations(wanted)
    denied = [f"{op} on topic {topic}" for topic, op in wanted.items() if op not in allowed[topic]]
    if not denied:
        return [good("permissions", "each topic may be used as the sink needs it")]
    user = kafka.config.kafka.sasl_username or "ANONYMOUS"
    return [
        error(
            "permissions",
            f"user {user} lacks {some(denied)}",
            f"allow it: kafka-acls.sh --add --allow-principal User:{user} --operation …",
        )
    ]


def _topic_ids(kafka: _Kafka) -> list[Finding]:
    """
    Look for topics without an id (KIP-516): created again, they would lose records.
    """
    topics = kafka.matching()
    ids = kafka.brokers.topic_ids(topics) if topics else {}
    namespace = kafka.config.kafka.id_namespace
    if NO_TOPIC_ID not in ids.values():
        return [good("topic ids", "the brokers have them")] if ids else []
    if namespace is not None:
        return [good("topic ids", f"the brokers have none, id_namespace {namespace} stands in")]
    return [
        error(
            "topic ids",
            "the brokers have none (Kafka before 2.8): a topic created again would lose records",
            "set kafka.id_namespace",
        )
    ]


def _letters(what: str, topic: str, kafka: _Kafka) -> list[Finding]:
    """
    See that a topic of letters is there, or can be created, keeps them, and takes the largest.
    """
    sources = kafka.matching()
    if topic not in kafka.topics:
        create_topic(kafka.config, kafka.brokers, topic, sources, validate_only=True)
        return [good(what, f"topic {topic} is not there yet, the sink can create it")]
    try:
        return [*_keeping(what, topic, kafka), *_width(what, topic, kafka, sources)]
    except Unauthorized as failure:
        return [
            warning(
                what,
                f"whether topic {topic} keeps what is written there is not known: {failure}",
                "allow the user to describe its configuration (DESCRIBE_CONFIGS), and that of the "
                "topics the routes match",
            )
        ]


def _keeping(what: str, topic: str, kafka: _Kafka) -> list[Finding]:
    """
    See that the brokers delete nothing: what is parked is nowhere else.
    """
    found = topic_departures(kafka.config, kafka.brokers, topic)
    if not found:
        return []
    level, harm, more = _DELETED[what]
    remedy = mending(kafka.config.kafka.bootstrap_servers, topic, found) + more
    return [level(f"{what}: retention", f"{', '.join(map(str, found))}: {harm}", remedy)]


def _width(what: str, topic: str, kafka: _Kafka, sources: list[str]) -> list[Finding]:
    limits = kafka.brokers.message_bytes_max([topic, *sources])
    takes = limits.pop(topic)
    larger = [source for source, bytes_max in limits.items() if bytes_max > takes]
    if not larger:
        return [good(what, f"topic {topic} takes records of {takes} bytes")]
    largest = max(limits.values())
    return [
        warning(
            what,
            f"topic {topic} takes records of {takes} bytes, but {some(larger)} up to {largest}: "
            f"{_TOO_LARGE[what]}",
            f"set max.message.bytes of {topic} above {largest}",
        )
    ]


def _dead_letters(kafka: _Kafka) -> list[Finding]:
    return _letters("dead letters", kafka.config.dead_letter_topic, kafka)


def _parked(kafka: _Kafka) -> list[Finding]:
    return _letters("parked", kafka.config.parked_topic, kafka)


_DELETED = {
    "dead letters": (
        warning,
        "the brokers delete dead letters, which are committed",
        "; or say in dead_letter.retention_ms how long they are wanted",
    ),
    "parked": (error, "the brokers delete parked documents, which are committed", ""),
}

_TOO_LARGE = {
    "dead letters": "of a larger dead letter only the first 64 KiB are kept",
    "parked": "a larger document holds its offset until the sink has raised that, where it may",
}

# What is checked, in this order, and what to do when it cannot be found out.
_CHECKS: tuple[tuple[str, Callable[[_Kafka], list[Finding]], str], ...] = (
    ("topics", _routing, ""),  # asks nothing
    ("permissions", _permissions, "allow the user to describe the topics"),
    ("topic ids", _topic_ids, "allow the user to describe the topics"),
    (
        "dead letters",
        _dead_letters,
        "create the topic yourself, or correct [dead_letter], or allow the user to create topics "
        "and to describe the configuration (DESCRIBE_CONFIGS) of those the routes match",
    ),
    (
        "parked",
        _parked,
        "create the topic yourself, or correct [park], or allow the user to create topics",
    ),
)
