"""
What Logstash's kafka input with the json codec makes of a record, so that its indices go on.

`@timestamp`, `@version`, and `type` (an option of that input; here the topic) where the record
has none of its own. Text becomes `message` with the tag `_jsonparsefailure`. An `@timestamp` that
is no ISO 8601 time becomes `_@timestamp`, with the tag `_timestampparsefailure`.

Source: logstash-codec-json, and initTimestamp in logstash-core/…/org/logstash/Event.java.
"""

import re

import msgspec
import orjson

from sink.collectors.objects import Format, collector_of
from sink.collectors.text import original
from sink.core.json_objects import on_one_line
from sink.core.record import Record
from sink.core.stamp import TIMESTAMP, Heads, stamp

_VERSION = ("@version", b'"1"')
_NO_JSON = "_jsonparsefailure"
_NO_TIME = b"_timestampparsefailure"
# What strict_date_optional_time of Elasticsearch takes as well.
_TIME = re.compile(rb'"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?"')


class _Time(msgspec.Struct):
    time: msgspec.Raw | msgspec.UnsetType = msgspec.field(name=TIMESTAMP, default=msgspec.UNSET)


_time_of = msgspec.json.Decoder(_Time).decode
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _constants(topic: str) -> tuple[tuple[str, bytes], ...]:
    return (_VERSION, ("type", orjson.dumps(topic)))


def _text(value: bytes, record: Record) -> bytes:
    text = value.decode(errors="replace")
    fields: dict[str, object] = {"message": text, "tags": [_NO_JSON]}
    if text.encode() != value:
        fields |= original(value)
    heads = Heads(_constants(record.topic() or ""))
    return stamp(orjson.dumps(fields), heads[record.timestamp()[1]])


def timed(value: bytes) -> bytes:
    """
    Take a time that is none out of the way.
    """
    time = _time_of(value).time
    if isinstance(time, msgspec.UnsetType) or _TIME.fullmatch(time):
        return value
    fields = _fields_of(value)
    del fields[TIMESTAMP]
    more = {f"_{TIMESTAMP}": time, "tags": msgspec.Raw(_tagged(bytes(fields.get("tags", b"[]"))))}
    return on_one_line(msgspec.json.encode(fields | more))


def _tagged(tags: bytes) -> bytes:
    """
    Add the tag to others as they are: whatever JSON they may be.
    """
    tags = tags.strip()
    tags = tags[1:-1].strip() if tags.startswith(b"[") else tags
    return b'[%b"%b"]' % (tags and tags + b",", _NO_TIME)


LOGSTASH = collector_of(
    Format("logstash", _text, mend=timed, constants=_constants, time_fits=_TIME.fullmatch)
)
