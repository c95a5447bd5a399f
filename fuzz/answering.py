"""
An Elasticsearch that gives one answer, whatever it is, to the sink's own client.
"""

import asyncio
import atexit
import warnings
from typing import ClassVar, NamedTuple

from elastic_transport import ApiResponseMeta, BaseAsyncNode, HttpHeaders, TransportApiResponse
from elasticsearch import ElasticsearchWarning

from sink.config import ElasticsearchSettings
from sink.core.body import Body
from sink.core.outcome import Reply
from sink.edge.elastic import Elastic

_USUAL = {
    "content-type": "application/vnd.elasticsearch+json",
    "x-elastic-product": "Elasticsearch",
}


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class _Canned(BaseAsyncNode):
    """
    Stands where the client has its connections.
    """

    answer: ClassVar[_Answer] = _Answer(200, _USUAL, b"{}")

    async def perform_request(  # type: ignore[override]  # the base has it in two ways itself
        self, *_: object, **__: object
    ) -> TransportApiResponse:
        """
        Give the answer.
        """
        status, headers, body = self.answer
        meta = ApiResponseMeta(status, "1.1", HttpHeaders(headers), 0.0, self.config)
        return TransportApiResponse(meta, body)

    async def close(self) -> None:  # type: ignore[override]
        """
        Have nothing to close.
        """


_runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
atexit.register(_runner.close)


def _elastic() -> Elastic:
    """
    Build the client, and let it see once that it talks to Elasticsearch, as it would at the start.
    """
    settings = ElasticsearchSettings(hosts=("http://127.0.0.1:9200",))
    elastic = Elastic(settings.model_copy(update={"client": {"node_class": _Canned}}))
    _runner.run(elastic.ask("GET", "/"))
    return elastic


_CLIENT = _elastic()


def answered(status: int, headers: dict[str, str], answer: bytes, bulk: Body) -> Reply:
    """
    Send a bulk and get an answer.
    """
    _Canned.answer = _Answer(status, _USUAL | headers, answer)
    with warnings.catch_warnings():
        # The client repeats a warning header of any text.
        warnings.simplefilter("ignore", ElasticsearchWarning)
        return _runner.run(_CLIENT.bulk(bulk))
