"""
Questions to an Elastic, each with a loop and a client of its own.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sink.config import ElasticsearchSettings
from sink.core.body import Body
from sink.edge.elastic import Elastic
from tests.edge.answering import Told

Answer = TypeVar("Answer")
BODY = Body([b'{"create":{"_index":"i"}}', b'{"a":1}'])
GOOD = b'{"errors":false,"items":[{"create":{"status":201}}]}'
TOLD_GOOD = Told(body=GOOD)


def elastic_at(url: str, **settings: Any) -> Elastic:
    return Elastic(ElasticsearchSettings(hosts=(url,), **settings))


def ask(url: str, question: Callable[[Elastic], Awaitable[Answer]], **settings: Any) -> Answer:
    async def asked() -> Answer:
        async with elastic_at(url, **settings) as elastic:
            return await question(elastic)

    return asyncio.run(asked())


def error(error_type: str, reason: str) -> bytes:
    return json.dumps({"error": {"type": error_type, "reason": reason}, "status": 0}).encode()


UNAUTHORIZED = Told(401, error("security_exception", "no"))
