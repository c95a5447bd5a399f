"""
The whole configuration: the small sections, and what must hold between sections.

Nothing is read here. `sink.config.load` brings the values from file, environment and flags.
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, DirectoryPath, Field, field_validator, model_validator

from sink.config.elasticsearch import ElasticsearchSettings
from sink.config.kafka import KafkaSettings
from sink.config.kibana import KibanaSettings
from sink.config.lifecycle import LifecycleSettings
from sink.config.routes import RouteSettings
from sink.config.section import Section, Topic, json_text, topic_name


class BulkSettings(Section):
    """
    How documents are put together and sent, and how sending is tried again.
    """

    docs_max: int = Field(default=5000, ge=1, le=100_000, description="Documents in one bulk.")
    bytes_max: int = Field(
        default=5_000_000,
        ge=1024,
        le=100_000_000,
        description="Bytes of one bulk; a single document may be longer. Elasticsearch refuses "
        "more than its http.max_content_length, 100 MB.",
    )
    linger_ms: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="Longest wait for more documents when there are few. Behind, bulks fill up.",
    )
    queue_slots: int = Field(
        default=2,
        ge=1,
        le=1024,
        description="Bulks that may wait to be sent. When all are taken the consumer threads wait. "
        "More of them cost memory and gain nothing: bulks grow cold in the processor's cache.",
    )
    in_flight: int = Field(
        default=8,
        ge=1,
        le=256,
        description="Most bulks on their way to Elasticsearch at once. How many there are follows "
        "its answers: one more where that raises the rate, a quarter less where it refuses with "
        "429.",
    )
    timeout_ms: int = Field(
        default=5000,
        ge=1,
        le=600_000,
        description="How long Elasticsearch waits inside a bulk for an unavailable primary shard.",
    )
    retry_initial_ms: int = Field(
        default=200, ge=1, le=60_000, description="Longest wait before the first retry."
    )
    retry_max_ms: int = Field(
        default=30_000,
        ge=1,
        le=600_000,
        description="Longest wait between two retries; waits double up to it, with full jitter.",
    )
    probe_max_ms: int = Field(
        default=4000,
        ge=1,
        le=600_000,
        description="Longest wait between two probes while nothing gets through.",
    )

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.retry_initial_ms > self.retry_max_ms:
            raise ValueError(
                f"retry_initial_ms ({self.retry_initial_ms}) is more than "
                f"retry_max_ms ({self.retry_max_ms})"
            )
        return self


class DeadLetterSettings(Section):
    """
    The topic of the records that cannot become a document.
    """

    topic: Topic | None = Field(
        default=None,
        examples=["sink-dlq.log-sink"],
        description="Dead-letter topic, which no route may read. Without it: "
        "sink-dlq. and the kafka.group_id.",
    )
    partitions: int = Field(
        default=3, ge=1, le=1000, description="Partitions, when the sink creates the topic."
    )
    replication_factor: int = Field(
        default=-1,
        ge=-1,
        le=32_767,
        description="Replicas, when the sink creates the topic. -1 takes the broker's default.",
    )
    delivery_timeout_ms: int = Field(
        default=30_000,
        ge=1_000,
        le=600_000,
        description="Longest wait for the broker to acknowledge one dead letter; then it is tried "
        "again, and the offset waits.",
    )

    rate_max: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        examples=[6000],
        description="Dead letters of one topic in a minute. A topic that makes more waits instead "
        "of emptying itself into the dead letters. Without it there is no limit.",
    )

    retention_ms: int | None = Field(
        default=None,
        ge=1,
        le=9_000_000_000_000_000,
        examples=[2_592_000_000],
        description="How long dead letters are kept: retention.ms, when the sink creates the "
        "topic. Without it: until a person deletes them. A topic that keeps less is told of.",
    )

    @field_validator("replication_factor")
    @classmethod
    def _some_replicas(cls, value: int) -> int:
        if value == 0:
            raise ValueError("should be -1 (the broker's default) or at least 1")
        return value


class ParkSettings(Section):
    """
    Where the documents of an index that takes none wait, so that the others flow on.
    """

    bytes_max: int = Field(
        default=32_000_000,
        ge=0,
        le=10_000_000_000,
        description="Documents that wait in memory, in bytes. What comes beyond goes to the "
        "parked topic. Counts into the memory bound.",
    )
    ms_max: int = Field(
        default=300_000,
        ge=0,
        le=86_400_000,
        description="Longest wait in memory. Then the documents go to the parked topic, the offset "
        "moves on, and they are read again from there when their index takes them.",
    )
    topic: Topic | None = Field(
        default=None,
        examples=["sink-parked.log-sink"],
        description="Parked topic, which no route may read. Without it: sink-parked. and the "
        "kafka.group_id. Created with dead_letter.partitions and dead_letter.replication_factor.",
    )


class TemplatesSettings(Section):
    """
    What is installed into Elasticsearch before the first document.
    """

    dir: DirectoryPath | None = Field(
        default=None,
        examples=["/etc/sink/index_templates"],
        description="Folder of your own templates. Without it: the ones the sink brings.",
    )
    apply_on_start: bool = Field(
        default=True,
        description="Create or update the templates and lifecycle policies at start. Never deletes "
        "one.",
    )


class StatusSettings(Section):
    """
    The HTTP pages for probes and metrics.
    """

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(
        default=9117, ge=0, le=65_535, description="Port to listen on; 0 takes any free one."
    )


class ShutdownSettings(Section):
    """
    How the sink stops.
    """

    timeout_ms: int = Field(
        default=30_000,
        ge=1,
        le=600_000,
        description="Longest time from SIGTERM to the end. What is not done by then is read again.",
    )


class LogSettings(Section):
    """
    What the sink says about itself, on standard error.
    """

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="json, console, or auto: console on a terminal, else json."
    )


def _route_list(value: object) -> object:
    if isinstance(value, dict):
        raise ValueError(  # noqa: TRY004  only a ValueError becomes a line of the report
            "is a list of tables: write [[routes]] with two brackets, "
            "or in the environment a JSON list in SINK__ROUTES"
        )
    return json_text(value)


class Config(Section):
    """
    Every setting of the sink.
    """

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    elasticsearch: ElasticsearchSettings = Field(default_factory=ElasticsearchSettings)
    bulk: BulkSettings = Field(default_factory=BulkSettings)
    routes: Annotated[tuple[RouteSettings, ...], BeforeValidator(_route_list)] = Field(min_length=1)
    dead_letter: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    park: ParkSettings = Field(default_factory=ParkSettings)
    templates: TemplatesSettings = Field(default_factory=TemplatesSettings)
    lifecycle: LifecycleSettings = Field(default_factory=LifecycleSettings)
    kibana: KibanaSettings = Field(default_factory=KibanaSettings)
    status: StatusSettings = Field(default_factory=StatusSettings)
    shutdown: ShutdownSettings = Field(default_factory=ShutdownSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @property
    def dead_letter_topic(self) -> str:
        """
        The topic dead letters go to.
        """
        return self.dead_letter.topic or f"sink-dlq.{self.kafka.group_id}"

    @model_validator(mode="after")
    def _routes_are_told_apart(self) -> Self:
        names = [route.name for route in self.routes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"routes: two routes are named {', '.join(twice)}")
        return self

    @property
    def parked_topic(self) -> str:
        """
        The topic that documents of a parked index go to when their wait is long.
        """
        return self.park.topic or f"sink-parked.{self.kafka.group_id}"

    @model_validator(mode="after")
    def _what_the_sink_writes_is_no_route(self) -> Self:
        for setting, topic in (
            ("dead_letter.topic", self.dead_letter_topic),
            ("park.topic", self.parked_topic),
        ):
            try:
                topic_name(topic)
            except ValueError as error:
                raise ValueError(f"{setting}: set one, for by kafka.group_id {error}") from error
            reading = [route.name for route in self.routes if route.covers(topic)]
            if reading:
                raise ValueError(
                    f"{setting}: route {', '.join(reading)} reads {topic} itself, so what is "
                    "written there would come round again: narrow the route or name another topic"
                )
        if self.dead_letter_topic == self.parked_topic:
            raise ValueError("park.topic: name another than dead_letter.topic")
        return self
