"""
Questions to the brokers that belong to no consumer: reachable, which topics, and their ids.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from sink.config import KafkaSettings
from sink.core.record import Partition
from sink.edge.kafka.properties import Renewal, common
from sink.errors import ConfigError, Unauthorized, Unavailable

_TIMEOUT_S = 10.0
_MESSAGE_BYTES_MAX = "max.message.bytes"
_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001
_AUTHENTICATION = KafkaError._AUTHENTICATION  # noqa: SLF001  librdkafka's own codes begin with _
# Kafka's tools print ids in the URL-safe alphabet of RFC 4648 §5, librdkafka in the other.
_URL_SAFE = str.maketrans("+/", "-_")
NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"  # the zero UUID: a broker from before KIP-516


class Brokers:
    """
    An admin client. Any thread may call it.

    Raises:
        ConfigError: librdkafka knows no such property, or not with such a value.
        Unavailable: The system gives librdkafka no thread.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._last_error: KafkaError | None = None
        self._settings = settings
        self._renewal = Renewal(settings)
        try:
            self._admin = self._client()
        except KafkaException as failure:
            error: KafkaError = failure.args[0]
            if "thread" in error.str():  # its code says nothing (2.16)
                raise Unavailable(f"librdkafka: {error.str()}") from failure
            raise ConfigError(f"kafka.client: librdkafka refuses it: {error}") from failure

    def topics(self, timeout_s: float = 5.0) -> list[str]:
        """
        List all topics but Kafka's own.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            found = self._admin.list_topics(timeout=timeout_s).topics
        except KafkaException as failure:
            raise self._explained(failure) from failure
        # What failed before is mended: it must not explain the next failure.
        self._admin.poll(0)
        self._renewal.renew(self._admin)
        self._last_error = None
        return sorted(name for name in found if not name.startswith("__"))

    def partitions(self, topics: Iterable[str], timeout_s: float = 5.0) -> list[Partition]:
        """
        List the partitions of topics; none of one that vanished.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            found = self._admin.list_topics(timeout=timeout_s).topics
        except KafkaException as failure:
            raise self._explained(failure) from failure
        return [
            Partition(topic, number)
            for topic in topics
            if topic in found
            for number in found[topic].partitions
        ]

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        """
        Ask for the ids of topics (KIP-516), 22 characters each. A vanished topic has none.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        futures = self._admin.describe_topics(
            TopicCollection(list(topics)), request_timeout=_TIMEOUT_S
        )
        ids: dict[str, str] = {}
        for topic, future in futures.items():
            try:
                ids[topic] = str(self._result(future).topic_id).translate(_URL_SAFE)
            except KafkaException as failure:
                if failure.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._explained(failure) from failure
        return ids

    def message_bytes_max(self, topics: Iterable[str]) -> dict[str, int]:
        """
        Ask for max.message.bytes of topics.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        told = self.topic_settings(topics)
        return {topic: int(settings[_MESSAGE_BYTES_MAX]) for topic, settings in told.items()}

    def topic_settings(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """
        Ask for the configuration of topics: topic → setting → value in force.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        if not resources:
            return {}
        futures = self._admin.describe_configs(resources, request_timeout=_TIMEOUT_S)
        try:
            return {
                resource.name: {name: entry.value for name, entry in self._result(future).items()}
                for resource, future in futures.items()
            }
        except KafkaException as failure:
            raise self._explained(failure) from failure

    def take_messages_of(self, topic: str, bytes_max: int) -> None:
        """
        Raise max.message.bytes of a topic; one that takes more is left as it is.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        if self.message_bytes_max([topic])[topic] >= bytes_max:
            return
        wanted = ConfigEntry(
            _MESSAGE_BYTES_MAX, str(bytes_max), incremental_operation=AlterConfigOpType.SET
        )
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[wanted])
        futures = self._admin.incremental_alter_configs([resource], request_timeout=_TIMEOUT_S)
        try:
            for future in futures.values():
                self._result(future)
        except KafkaException as failure:
            raise self._explained(failure) from failure

    def topic_operations(self, topics: Iterable[str]) -> dict[str, frozenset[str]]:
        """
        Ask what we may do with topics (KIP-430): topic → READ, WRITE and so on.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        futures = self._admin.describe_topics(
            TopicCollection(list(topics)),
            include_authorized_operations=True,
            request_timeout=_TIMEOUT_S,
        )
        operations: dict[str, frozenset[str]] = {}
        for topic, future in futures.items():
            try:
                allowed = self._result(future).authorized_operations
            except KafkaException as failure:
                raise self._explained(failure) from failure
            operations[topic] = frozenset(operation.name for operation in allowed or ())
        return operations

    def create_topic(
        self,
        topic: str,
        partitions: int,
        replication_factor: int,
        config: dict[str, str],
        *,
        validate_only: bool = False,
    ) -> None:
        """
        Create a topic; one that is there already is left as it is.

        Args:
            validate_only: The broker only tells whether it would.
        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        new = NewTopic(topic, partitions, replication_factor, config=config)
        futures = self._admin.create_topics(
            [new], operation_timeout=_TIMEOUT_S, validate_only=validate_only
        )
        for future in futures.values():
            try:
                self._result(future)
            except KafkaException as failure:
                if failure.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._explained(failure) from failure

    def _result(self, future: "Future[Any]") -> Any:
        try:
            return future.result(timeout=2 * _TIMEOUT_S)
        except TimeoutError as failure:
            raise Unavailable("Kafka does not answer a request in time") from failure

    def _client(self) -> AdminClient:
        return AdminClient(common(self._settings) | {"error_cb": self._on_error})

    def _begin_anew(self) -> None:
        """
        Take another client where one gets an answer.

        A client whose controller died goes on asking it, for minutes (seen on three brokers).
        """
        fresh = self._client()
        with suppress(KafkaException):
            fresh.list_topics(timeout=_TIMEOUT_S / 2)
            self._admin = fresh

    def _on_error(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  comes after the reason
            self._last_error = error

    def _explained(self, failure: KafkaException) -> Unavailable:
        """
        Tell refused credentials from a broker that does not answer.

        A request only says that it timed out; why the connection fails comes by the error callback.
        """
        self._admin.poll(0)
        self._renewal.renew(self._admin)
        error: KafkaError = failure.args[0]
        if error.code() == _TIMED_OUT:
            self._begin_anew()
        last, self._last_error = self._last_error, None
        if last is not None and last.code() == _AUTHENTICATION:
            return Unauthorized(f"Kafka refuses the credentials (sasl_username): {last.str()}")
        if "AUTHORIZATION" in error.name():
            return Unauthorized(f"Kafka denies the request: {error.str()}")
        if error.code() >= 0:  # the broker's own codes; librdkafka's are negative
            return Unavailable(f"Kafka refuses: {error.str()}")
        why = f" ({last.str()})" if last is not None else ""
        return Unavailable(f"Kafka does not answer: {error.str()}{why}")
