"""
How a bulk and its answer go over the wire: unjoined on the way out, unparsed on the way in.
"""

import zlib
from typing import Any, cast

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from elastic_transport import JsonSerializer, NdjsonSerializer, SerializationError

from sink.core.body import Body

_GZIP = 16 + zlib.MAX_WBITS  # zlib's manual, deflateInit2: with the header of gzip
NDJSON = "application/vnd.elasticsearch+x-ndjson"
JSON = "application/vnd.elasticsearch+json"


class _Payload(aiohttp.Payload):
    """
    Lets aiohttp write a body piece by piece. Bytes in one would be copied twice more.

    Source: aiohttp, client reference, "Payload": write() is called with the request's writer.
    """

    def __init__(self, body: Body) -> None:
        super().__init__(body, content_type=NDJSON)
        self._size = len(body)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        for piece in self._value:
            await writer.write(piece)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        assert content_length is None or content_length == self._size
        await self.write(writer)


class BodyInPieces(NdjsonSerializer):
    """
    Hands a body on to aiohttp unjoined. One that is compressed is bytes already.
    """

    mimetype = NDJSON

    def dumps(self, data: Any) -> bytes:
        """
        Give what aiohttp takes for a body.
        """
        return data if isinstance(data, bytes) else cast("bytes", _Payload(data))


def gzipped(body: Body) -> bytes:
    """
    Compress a body, piece by piece.

    At the level of the client (gzip's default, 9) a document costs 24 µs instead of 4: with logs
    the first level leaves little more bytes.
    """
    packer = zlib.compressobj(level=1, wbits=_GZIP)
    return b"".join([*map(packer.compress, body), packer.flush()])


class BulkAnswerAsItIs(JsonSerializer):
    """
    Leaves the answer of a bulk unparsed, and reads any other with orjson.
    """

    mimetype = JSON

    def loads(self, data: bytes) -> Any:
        """
        Give the bytes of a bulk's answer, the object of any other.
        """
        if data.startswith(b'{"errors":'):
            return data
        try:
            return super().loads(data)
        except SerializationError:  # a proxy's page: its status counts all the same
            return data.decode(errors="replace")

    def json_loads(self, data: bytes) -> Any:
        """
        Parse JSON.
        """
        return orjson.loads(data)
