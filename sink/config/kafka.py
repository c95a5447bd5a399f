"""
The [kafka] section: the brokers, the group, where reading starts and how much is held.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    PlainSerializer,
    model_validator,
)

from sink.config.section import (
    Secret,
    Section,
    checked_secret,
    json_text,
    masked_table,
    read_secret,
    refuse_owned,
)

# librdkafka's names (its CONFIGURATION.md). What the promise rests on must have one owner.
OWNED = {
    "bootstrap.servers": "use kafka.bootstrap_servers",
    "metadata.broker.list": "use kafka.bootstrap_servers",
    "group.id": "use kafka.group_id",
    "group.instance.id": "use kafka.group_instance_id",
    "group.protocol": "use kafka.group_protocol",
    "partition.assignment.strategy": "use kafka.group_protocol",
    "auto.offset.reset": "use kafka.start",
    "auto.commit.interval.ms": "use kafka.commit_interval_ms",
    "enable.auto.commit": "it commits only what is accounted for, every kafka.commit_interval_ms",
    "enable.auto.offset.store": "it commits only what is accounted for",
    "isolation.level": "it always reads committed records only",
    "queued.max.messages.kbytes": "use kafka.queued_kbytes",
    "queued.min.messages": "use kafka.queued_kbytes",
    "fetch.max.bytes": "use kafka.fetch_bytes_max",
    "fetch.wait.max.ms": "it waits a second when there is nothing",
    "fetch.queue.backoff.ms": "it asks again as soon as there is room",
    "security.protocol": "use kafka.security_protocol",
    "ssl.ca.location": "use kafka.ssl_ca_location",
    "sasl.mechanism": "use kafka.sasl_mechanism",
    "sasl.mechanisms": "use kafka.sasl_mechanism",
    "sasl.username": "use kafka.sasl_username",
    "sasl.password": "use kafka.sasl_password or kafka.sasl_password_file",
    "statistics.interval.ms": "it reads the statistics itself",
    "acks": "its dead letters always wait for every replica",
    "request.required.acks": "its dead letters always wait for every replica",
    "enable.idempotence": "its dead letters are always written idempotently",
    "delivery.timeout.ms": "use dead_letter.delivery_timeout_ms",
    "message.timeout.ms": "use dead_letter.delivery_timeout_ms",
    "*_cb": "a configuration file holds no functions",
    "on_*": "a configuration file holds no functions",
}


def _start(value: object) -> object:
    """
    Accept one of the two words, or a time that says its zone.
    """
    if value in ("earliest", "latest"):
        return value
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ValueError(
            "should be earliest, latest or an ISO-8601 time with its zone, as 2026-10-01T00:00:00Z"
        )
    return time


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise ValueError("should be text, a number, true or false")  # noqa: TRY004  pydantic
    return value


class KafkaSettings(Section):
    """
    Where records come from.
    """

    bootstrap_servers: str = Field(
        default="localhost:9092",
        min_length=1,
        description="Brokers to ask first, host:port, separated by commas.",
    )
    group_id: str = Field(
        default="log-sink",
        min_length=1,
        description="Consumer group. Processes of the same group share the partitions.",
    )
    threads: int = Field(
        default=2, ge=1, le=64, description="Consumer threads, each with a consumer of its own."
    )
    start: Annotated[Literal["earliest", "latest"] | datetime, BeforeValidator(_start)] = Field(
        default="earliest",
        description="Where a new group begins in what is there: earliest, latest, or the first "
        "record at or after an ISO-8601 time with its zone. What comes later is read from its "
        "first record.",
    )
    group_protocol: Literal["auto", "classic", "consumer"] = Field(
        default="auto",
        description="How the group is coordinated. classic is cooperative-sticky, consumer is "
        "KIP-848 (needs brokers of version 4). auto takes classic.",
    )
    group_instance_id: str | None = Field(
        default=None,
        min_length=1,
        examples=["sink-0"],
        description="Name of this instance, different in each process: a restart within the "
        "session timeout then moves no partition (static membership, KIP-345).",
    )
    commit_interval_ms: int = Field(
        default=1000, ge=10, le=600_000, description="Time between two commits of a thread."
    )
    id_namespace: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._-]+$",
        examples=["prod"],
        description="Stands for the topic id in document ids. Needed only where the brokers have "
        "no topic ids (KIP-516). Change it when a topic was deleted and created again.",
    )
    queued_kbytes: int = Field(
        default=8_192,
        ge=1,
        le=2_097_151,
        description="What librdkafka may hold ready for each thread "
        "(queued.max.messages.kbytes), and as many records (queued.min.messages): it counts the "
        "bytes of values only. Counts into the memory bound once a thread.",
    )
    fetch_bytes_max: int = Field(
        default=2_097_152,
        ge=1_000_000,
        le=2_147_483_135,
        description="Longest answer to one fetch (fetch.max.bytes), of each broker, as it comes: "
        "compressed. Counts into the memory bound compression_ratio_max times a thread. "
        "librdkafka wants at least its message.max.bytes.",
    )
    compression_ratio_max: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="How many times larger records may be than their compressed batches. An answer "
        "is decompressed as a whole; this bounds nothing, the memory bound reckons with it.",
    )
    poll_bytes_max: int = Field(
        default=8_000_000,
        ge=1024,
        le=1_000_000_000,
        description="Bytes of records a thread takes at one poll. Counts into the memory bound "
        "twice a thread.",
    )
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext", description="How to speak to the brokers."
    )
    ssl_ca_location: FilePath | None = Field(
        default=None,
        examples=["/etc/sink/kafka-ca.pem"],
        description="Certificates of the authorities that signed the brokers' certificates.",
    )
    sasl_mechanism: str | None = Field(
        default=None,
        min_length=1,
        examples=["SCRAM-SHA-512"],
        description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI. What the last two "
        "need more goes into client.",
    )
    sasl_username: str | None = Field(
        default=None, min_length=1, examples=["sink"], description="User name for PLAIN and SCRAM."
    )
    sasl_password: Secret | None = Field(
        default=None,
        examples=["…"],
        description="Password for PLAIN and SCRAM. Better in the environment or in a file.",
    )
    sasl_password_file: Path | None = Field(
        default=None,
        examples=["/run/secrets/kafka-password"],
        description="File that holds the password. It may be replaced while the sink runs.",
    )
    client: Annotated[
        dict[str, Annotated[str | int | float | bool, BeforeValidator(_scalar)]],
        BeforeValidator(json_text),
        AfterValidator(refuse_owned(OWNED)),
        PlainSerializer(masked_table),
    ] = Field(
        default_factory=dict,
        repr=False,
        examples=[{"socket.keepalive.enable": True}],
        description="Further properties of librdkafka, passed on as they are. Those the sink sets "
        "itself are refused.",
    )

    def read_sasl_password(self) -> str | None:
        """
        Return the password, read from its file at each call.

        Raises:
            ConfigError: The file cannot be read or is empty.
        """
        return read_secret(self.sasl_password, self.sasl_password_file)

    @model_validator(mode="after")
    def _credentials_fit_together(self) -> Self:
        if self.sasl_password and self.sasl_password_file:
            raise ValueError("give sasl_password or sasl_password_file, not both")
        password = checked_secret(self.sasl_password, self.sasl_password_file)
        if (password is None) != (self.sasl_username is None):
            raise ValueError(
                "sasl_username and a password (or its file) go together, one is missing"
            )
        sasl = self.security_protocol.startswith("sasl_")
        if sasl and self.sasl_mechanism is None:
            raise ValueError(f"security_protocol {self.security_protocol} needs a sasl_mechanism")
        if not sasl and (self.sasl_mechanism or self.sasl_username):
            raise ValueError(
                "the sasl_ settings have no effect with security_protocol "
                f"{self.security_protocol}: use sasl_ssl (or sasl_plaintext)"
            )
        return self
