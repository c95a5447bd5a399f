"""
Questions about many documents: are these there, and which ids are there at all.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from sink.edge.elastic import Elastic
from sink.edge.elastic_answers import Refused
from sink.edge.retry import Backoff
from sink.errors import Unauthorized, Unavailable

_MGET = "/_mget?_source=false&filter_path=docs.found,docs.error.type,docs.error.reason"
_IDS = "/_search?_source=false&allow_partial_search_results=false&filter_path=hits.hits._id"
_HITS = "pit_id,hits.total.value,hits.hits._index,hits.hits._id,hits.hits.sort"
_KEEP_ALIVE = "2m"
_IDS_MAX = 10_000  # index.max_result_window, default
_ATTEMPTS = 6
# What `_mget` answers for a name that stands for several indices. Should it be for another cause,
# the search that is asked instead fails as well, and says it.
_SPREAD = "illegal_argument_exception"
_NOT_FOUND = "index_not_found_exception"


class Name(NamedTuple):
    """
    Which document of the cluster.
    """

    in_index: str
    id: str


class Pages:
    """
    Asks whether documents are there, a few pages at a time.

    The answers are real-time: documents that no search sees yet are found.

    Args:
        in_flight: Pages under way at once.
    """

    def __init__(self, elastic: Elastic, in_flight: int = 4) -> None:
        self._elastic = elastic
        self._in_flight = in_flight
        self._tasks: set[asyncio.Task[list[Name]]] = set()

    async def ask(self, wanted: bytes) -> list[Name]:
        """
        Ask for a page. Waits while too many are under way.

        Args:
            wanted: The documents as a JSON array of objects with _index and _id.
        Returns:
            The documents of pages answered meanwhile that are not there.
        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        self._tasks.add(asyncio.create_task(self._absent(orjson.loads(wanted))))
        return await self._collect(self._in_flight - 1)

    async def rest(self) -> list[Name]:
        """
        Wait for all pages under way; returns as `ask` does.
        """
        return await self._collect(0)

    async def _collect(self, left: int) -> list[Name]:
        absent: list[Name] = []
        while len(self._tasks) > left:
            done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                absent += task.result()
        return absent

    async def _absent(self, wanted: list[dict[str, str]]) -> list[Name]:
        answer = await _patiently(self._elastic, _MGET, {"docs": wanted})
        told = answer.get("docs", [])
        if len(told) != len(wanted):
            raise Unavailable(
                f"Elasticsearch answers {len(told)} of {len(wanted)} documents (_mget)"
            )
        absent: list[Name] = []
        spread: defaultdict[str, list[str]] = defaultdict(list)
        for one, said in zip(wanted, told, strict=True):
            if said.get("found") is True:
                continue
            name = Name(one["_index"], one["_id"])
            # `_mget` knows no data streams either: what it does not find may be one.
            if _error_of(said, name) in (_SPREAD, _NOT_FOUND):
                spread[name.in_index].append(name.id)
            else:
                absent.append(name)
        for index, ids in spread.items():
            absent += await self._absent_by_search(index, ids)
        return absent

    async def _absent_by_search(self, index: str, ids: Sequence[str]) -> list[Name]:
        """
        Ask for documents of an alias or a data stream, which `_mget` takes for one index only.
        """
        path = f"/{quote(index, safe='')}"
        try:
            await _patiently(self._elastic, f"{path}/_refresh?filter_path=_shards.failed", None)
        except Refused as refused:
            if refused.error_type != _NOT_FOUND:
                raise
            return [Name(index, one) for one in ids]
        absent: list[Name] = []
        for begin in range(0, len(ids), _IDS_MAX // 2):
            part = ids[begin : begin + _IDS_MAX // 2]
            # An id may be in several of the indices, and each of them gives a hit.
            body = {"size": _IDS_MAX, "query": {"ids": {"values": part}}}
            answer = await _patiently(self._elastic, path + _IDS, body)
            hits = answer.get("hits", {}).get("hits", [])
            found = {hit["_id"] for hit in hits}
            absent += [Name(index, one) for one in part if one not in found]
        return absent


class Scan:
    """
    Reads the ids of all documents of some indices, from a point in time.

    Source: "Paginate search results", search_after with a PIT and _shard_doc.
    """

    def __init__(self, elastic: Elastic, patterns: Sequence[str]) -> None:
        self._elastic = elastic
        self._names = quote(",".join(patterns), safe=",*")
        self._pit = ""
        self._after: list[Any] | None = None
        self.documents = 0  # in all, once open

    async def open(self) -> None:
        """
        Fix the point in time.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        path = f"/{self._names}/_pit?keep_alive={_KEEP_ALIVE}&ignore_unavailable=true"
        self._pit = str((await _patiently(self._elastic, path, None))["id"])
        answer = await self._search(0)
        self.documents = int(answer["hits"]["total"]["value"])

    async def page(self) -> list[Name]:
        """
        Give the next documents; none at the end.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        answer = await self._search(_IDS_MAX)
        hits = answer.get("hits", {}).get("hits", [])
        if hits:
            self._after = hits[-1]["sort"]
        return [Name(hit["_index"], hit["_id"]) for hit in hits]

    async def close(self) -> None:
        """
        Free the point in time.
        """
        if self._pit:
            await self._elastic.ask("DELETE", "/_pit", {"id": self._pit})

    async def _search(self, size: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "size": size,
            "pit": {"id": self._pit, "keep_alive": _KEEP_ALIVE},
            "sort": ["_shard_doc"],
            "_source": False,
            "track_total_hits": size == 0,
        }
        if self._after is not None:
            body["search_after"] = self._after
        path = f"/_search?allow_partial_search_results=false&filter_path={_HITS}"
        answer = await _patiently(self._elastic, path, body)
        self._pit = str(answer.get("pit_id", self._pit))
        return answer


def _error_of(said: dict[str, Any], name: Name) -> str:
    """
    Give the error of a document, empty where there is none.

    Raises:
        Unavailable: Whether the document is there is not known.
    """
    error: dict[str, str] = said.get("error", {})
    error_type = error.get("type", "")
    if error_type in ("", _NOT_FOUND, _SPREAD):
        return error_type
    raise Unavailable(
        f"Elasticsearch does not tell whether {name.id} is in {name.in_index}: "
        f"{error_type}: {error.get('reason')}"
    )


async def _patiently(elastic: Elastic, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """
    Ask, and ask again for some seconds while the server is busy or does not answer.
    """
    backoff = Backoff(200, 4000)
    for attempt in range(1, _ATTEMPTS):
        try:
            return await elastic.ask("POST", path, body)
        except Unauthorized:
            raise
        except Unavailable as failure:
            if isinstance(failure, Refused) and failure.status < 500 and failure.status != 429:
                raise
        await asyncio.sleep(backoff.seconds(attempt))
    return await elastic.ask("POST", path, body)
