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
_DAY = (
    rb"\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    rb"|(?:0[13578]|1[02])-31)"
    rb"|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
)
_HOUR = rb"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"
_ZONE = rb"Z|[+-](?:(?:0\d|1[0-7]):?[0-5]\d|18:?00)"
_TIME = re.compile(b'"(?:%b)(?:T%b(?:%b)?)?"' % (_DAY, _HOUR, _ZONE))


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
    if isinstance(time, msgspec.UnsetType) or _TIME.fullmatch(_unescaped(time)):
        return value
    fields = _fields_of(value)
    del fields[TIMESTAMP]
    more = {f"_{TIMESTAMP}": time, "tags": msgspec.Raw(_tagged(bytes(fields.get("tags", b"[]"))))}
    return on_one_line(msgspec.json.encode(fields | more))


def _unescaped(text: msgspec.Raw) -> bytes:
    try:
        return orjson.dumps(orjson.loads(bytes(text))) if b"\\" in bytes(text) else bytes(text)
    except orjson.JSONDecodeError:  # half a character
        return bytes(text)


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
