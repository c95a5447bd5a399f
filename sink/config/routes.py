"""
The [[routes]] tables: which topics, how a record becomes a document, which index it gets.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sink.config.index import FieldPath, IndexSettings, TimeGuardSettings
from sink.config.lifecycle import LifecycleSettings
from sink.config.section import Section, Topic, comma_text
from sink.config.shape import ShapeSettings

# What Python's re and POSIX extended expressions (librdkafka, by regcomp) read in different ways:
# \d and its like, (?…), [[:class:]], lazy and possessive repeats, repeats beyond RE_DUP_MAX.
_NOT_IN_BOTH = re.compile(
    r"\\[A-Za-z0-9]|\(\?|\[[:.=][^]]*[:.=]\]|[*+?}][?+]|\{[0-9,]*[0-9]{4,}[0-9,]*\}"
)


def _regex(value: str) -> str:
    other = _NOT_IN_BOTH.search(value)
    if other:
        raise ValueError(
            f"{other.group()!r} is not read alike by Python and by librdkafka, which reads POSIX "
            "extended expressions: use classes such as [0-9], groups, |, *, + and ?"
        )
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _topic_part(value: str) -> str:
    """
    Check a prefix: nothing else than what a topic's name may hold.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise ValueError("may hold only what names of topics hold: letters, digits, . _ and -")
    return value


class RouteSettings(Section):
    """
    One way from topics to indices. At least one; each route is a table of its own.
    """

    name: str = Field(
        min_length=1, examples=["logs"], description="Name of the route in logs and metrics."
    )
    topics: Annotated[tuple[Topic, ...] | None, BeforeValidator(comma_text)] = Field(
        default=None,
        min_length=1,
        examples=[["kong-log", "apisix-log"]],
        description="Topics by name. Exactly one of topics, pattern and prefix must be given.",
    )
    pattern: Annotated[str, AfterValidator(_regex)] | None = Field(
        default=None,
        min_length=1,
        examples=["app-.*-log"],
        description="Topics by a regular expression of the whole name.",
    )
    prefix: Annotated[str, AfterValidator(_topic_part)] | None = Field(
        default=None,
        min_length=1,
        examples=["log-"],
        description="Topics that begin with this. What follows is the user topic.",
    )
    collector: str = Field(
        default="log",
        min_length=1,
        description="What makes documents of a record: the name of a built-in collector or of an "
        "entry point (group sink.collectors), package.module:function, or file.py:function.",
    )
    time_field: str | None = Field(
        default=None,
        min_length=1,
        examples=["logtime"],
        description="Field of a document, at its top level, that holds its time: @timestamp is "
        "made of it. A number (seconds to nanoseconds) or ISO 8601, without an offset in "
        "index.zone. Without it the collector's own field, else the record's time.",
    )
    id: Literal["offset", "field", "none"] = Field(
        default="offset",
        description="Document ids: offset gives each record an id of its own, so that reading it "
        "again makes no second document; field takes what id_field holds: two records with the "
        "same are one document; none lets Elasticsearch choose (faster, duplicates).",
    )
    id_field: FieldPath | None = Field(
        default=None,
        examples=["trace.id"],
        description='Field of the document that holds its id, with id = "field": a text of at '
        "most 512 bytes or a whole number. A document without one is dead-lettered.",
    )
    version: Literal["offset"] | None = Field(
        default=None,
        examples=["offset"],
        description='With id = "field" and op_type = "index": the record\'s offset is the '
        "document's external version, so that an older record never replaces a newer one. Only "
        "where all records of an id are in one partition.",
    )
    op_type: Literal["create", "index"] = Field(
        default="create",
        description="create leaves a document that is already there, index writes it again.",
    )
    pipeline: str | None = Field(
        default=None,
        min_length=1,
        examples=["logs"],
        description="Ingest pipeline of the cluster that the documents go through. Without it the "
        "index's own default applies.",
    )
    repair: Literal["none", "conflict_field"] = Field(
        default="none",
        description="What is done with a document whose field does not fit the mapping: none "
        "dead-letters it; conflict_field puts that field beside as text, named …_conflict, and "
        "sends the document once more.",
    )
    index: IndexSettings = Field(
        default_factory=IndexSettings, description="Index of the documents."
    )
    lifecycle: LifecycleSettings = Field(
        default_factory=LifecycleSettings, description="How long the indices are kept."
    )
    time_guard: TimeGuardSettings = Field(
        default_factory=TimeGuardSettings, description="Which times may date an index."
    )
    shape: ShapeSettings = Field(
        default_factory=ShapeSettings, description="What is done to the documents."
    )

    def covers(self, topic: str) -> bool:
        """
        Say whether this route reads a topic.
        """
        if self.topics is not None:
            return topic in self.topics
        if self.prefix is not None:
            return topic.startswith(self.prefix)
        return re.fullmatch(self.pattern or "", topic) is not None

    @model_validator(mode="after")
    def _one_choice_of_topics(self) -> Self:
        choices = ("topics", "pattern", "prefix")
        given = [name for name in choices if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(choices)}, not {' and '.join(given) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _ids_and_operations_fit(self) -> Self:
        for wrong, what in (
            (
                (self.id == "field") != (self.id_field is not None),
                'id = "field" and id_field belong together',
            ),
            (
                self.version is not None and (self.id, self.op_type) != ("field", "index"),
                'version needs id = "field" and op_type = "index": only there an older record '
                "could replace a newer one",
            ),
            (
                self.index.data_stream is not None and self.op_type != "create",
                'a data stream only takes op_type = "create"',
            ),
        ):
            if wrong:
                raise ValueError(what)
        return self
