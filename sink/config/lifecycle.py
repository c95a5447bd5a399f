"""
The [lifecycle] section and the lifecycle of a route: how long indices are kept.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sink.config.section import Section

_DAYS_MAX = 36_500


def _days(value: object) -> object:
    """
    Refuse in one sentence what is neither a number of days nor forever.
    """
    if value is None or value == "forever":
        return value
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= _DAYS_MAX:
        raise ValueError(f"is a number of days, 1 to {_DAYS_MAX}, or forever, not {text[:40]!r}")
    return int(text)


class LifecycleSettings(Section):
    """
    How long indices are kept. Nothing is deleted unless keep_days is set; a route's own values win.
    """

    keep_days: Annotated[
        Annotated[int, Field(ge=1, le=_DAYS_MAX)] | Literal["forever"] | None,
        BeforeValidator(_days),
    ] = Field(
        default=None,
        examples=[90],
        description="Days that every document is kept, at least: an index is deleted as a whole, "
        "so many days after it can have got its last document. forever deletes nothing, and is "
        "what holds where nothing is set.",
    )
    warm_days: int | None = Field(
        default=None,
        ge=0,
        le=_DAYS_MAX,
        examples=[7],
        description="Days after which an index goes to the warm nodes, counted alike. What has "
        "rolled over is merged and becomes read-only there; a dated index stays writable.",
    )
    rollover_days: int | None = Field(
        default=None,
        ge=1,
        le=_DAYS_MAX,
        examples=[30],
        description="Age at which an alias or a data stream gets a new index, 30 where any other "
        "of these is set. A dated index has its period instead.",
    )
    rollover_gb: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        examples=[50],
        description="Size of a primary shard, in GiB, at which an alias or a data stream gets a "
        "new index, 50 where any other of these is set.",
    )

    def over(self, general: "LifecycleSettings") -> "LifecycleSettings":
        """
        Give what holds where these settings come before more general ones.
        """
        own = {name: value for name, value in self if value is not None}
        return general.model_copy(update=own)
