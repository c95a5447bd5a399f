"""
APISIX's kafka-logger plugin, in each form it writes.

One object a request with `start_time` in milliseconds, or what `log_format` makes of it; with
`meta_format = "origin"` the HTTP request itself; with `batch_max_size` above 1 an array of either.

Source: apisix/plugins/kafka-logger.lua, and get_req_original in apisix/utils/log-util.lua.
"""

import re

import orjson

from sink.collectors.objects import Format, collector_of
from sink.collectors.text import no_object, original
from sink.core.collector import Answer, Refused, Source
from sink.core.record import Record
from sink.core.stamp import Heads, stamp
from sink.errors import Reject

# A token of RFC 9110, a target without spaces, the version. Lines end in CRLF, some tools' in LF.
_REQUEST_LINE = re.compile(
    rb"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<uri>[^ \r\n]+) (?P<protocol>HTTP/[0-9.]+)\r?\n"
)
_BLANK_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")


def http_request(value: bytes, time_ms: int) -> bytes | None:
    """
    Make a document of a raw HTTP request, with the field names of the entries that are JSON.

    Returns:
        None where it does not begin as a request does.
    """
    line = _REQUEST_LINE.match(value)
    if line is None:
        return None
    head, *body = _BLANK_LINE.split(value[line.end() :], maxsplit=1)
    request: dict[str, object] = {
        name: its.decode(errors="replace") for name, its in line.groupdict().items()
    }
    request["headers"] = _headers(head.decode(errors="replace"))
    if any(body):
        request["body"] = body[0].decode(errors="replace")
    fields: dict[str, object] = {"request": request}
    if value.decode(errors="replace").encode() != value:
        fields |= original(value)
    return stamp(orjson.dumps(fields), Heads()[time_ms])


def _headers(lines: str) -> dict[str, object]:
    """
    Read header lines; one that comes several times gives a list.
    """
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, lines.split("\n"))):
        name, _, text = line.partition(":")
        found.setdefault(name.strip(), []).append(text.strip())
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}


def _text(value: bytes, record: Record) -> Answer:
    document = http_request(value, record.timestamp()[1])
    if document is None:
        raise Reject(
            f"{no_object(value)}, no array of them and no HTTP request, as APISIX's "
            "kafka-logger plugin writes; what else writes to this topic? The collectors log and "
            "raw keep any text"
        )
    return document


def _element(part: bytes, time_ms: int) -> Source | Refused:
    try:
        text = orjson.loads(part)
    except orjson.JSONDecodeError:  # half a character, a number of no size
        text = None
    document = http_request(text.encode(), time_ms) if isinstance(text, str) else None
    return document or Refused("array element is neither a JSON object nor an HTTP request")


APISIX = collector_of(Format("apisix", _text, element=_element, time_field="start_time"))
