"""
A real Elasticsearch that can be brought to refuse, asked for one document as the sink asks.
"""

import asyncio
import json
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from elasticsearch import ApiError
from elasticsearch import Elasticsearch as Client

from engines import Elasticsearch, pidfile
from engines.process import Setting
from sink.config import ElasticsearchSettings
from sink.core.body import Body
from sink.core.outcome import Reply
from sink.edge.elastic import Elastic
from tests.waiting import wait_until

# All limits small, in one node: the cases need them one by one, and none is in another's way.
SETTINGS: Mapping[str, Setting] = {
    "http.max_content_length": "4mb",
    "indexing_pressure.memory.limit": "2mb",
    "node.processors": 1,
    "thread_pool.write.queue_size": 20,
}
ADMIN = "elastic"
_PASSWORD = "changeme"
_BACK_S = 30.0
_ROLES: dict[str, Mapping[str, Any]] = {
    "elsewhere": {"indices": [{"names": ["elsewhere*"], "privileges": ["create_doc"]}]},
    "adder": {"indices": [{"names": ["answers-*"], "privileges": ["create_doc"]}]},
    "monitor": {"cluster": ["monitor"]},
}
_STREAMS: Mapping[str, Any] = {
    "index_patterns": ["answers-stream-*"],
    "data_stream": {},
    "template": {"mappings": {"properties": {"known": {"type": "long"}}}},
}


class Node:
    """
    One node with users, roles and small limits. Use as a context manager.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.engine = Elasticsearch(
            folder,
            version=version,
            heap="512m",
            fast_start=True,
            security=True,
            password=_PASSWORD,
            settings=SETTINGS,
        )

    def __enter__(self) -> "Node":
        self._runner = asyncio.Runner()  # a connection that was cut is closed in a later turn
        self.engine.start()
        self.client = Client(self.engine.url, basic_auth=(ADMIN, _PASSWORD), max_retries=0)
        for name, role in _ROLES.items():
            self.client.security.put_role(name=name, **role)
            self.client.security.put_user(username=name, password=_PASSWORD, roles=[name])
        self.client.indices.put_index_template(name="answers-stream", **_STREAMS)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.engine.stop()
        self._runner.run(asyncio.sleep(0))
        self._runner.close()

    def send(
        self,
        lines: list[bytes],
        *,
        user: str = ADMIN,
        password: str = _PASSWORD,
        patience_ms: int = 30_000,
    ) -> Reply:
        """
        Send a bulk.
        """
        settings = ElasticsearchSettings(
            hosts=(self.engine.url,),
            basic_auth=f"{user}:{password}",  # type: ignore[arg-type] # a secret, in its text form
            request_timeout_ms=patience_ms,
        )

        async def sent() -> Reply:
            async with Elastic(settings, bulk_timeout_ms=1000) as elastic:
                return await elastic.bulk(Body(lines))

        return self._runner.run(sent())

    def add(
        self,
        index: str,
        source: str = '{"a":1}',
        *,
        op_type: str = "create",
        id_: str = "1",
        user: str = ADMIN,
        **action: object,
    ) -> Reply:
        """
        Send one document.
        """
        target = json.dumps({op_type: {"_index": index, "_id": id_, **action}})
        return self.send([target.encode(), source.encode()], user=user)

    @contextmanager
    def cluster(self, setting: str, value: object) -> Iterator[None]:
        """
        Set a setting of the cluster for a while.
        """
        self.client.cluster.put_settings(persistent={setting: value})
        try:
            yield
        finally:
            self.client.cluster.put_settings(persistent={setting: None})

    @contextmanager
    def files_of(self, size_bytes: int) -> Iterator[None]:
        """
        Let no file of the node grow beyond a size for a while, as if the disk were full.

        Raises:
            AssertionError: The node does not recover.
        """
        running = pidfile.find(self.engine.folder)
        assert running
        before = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (size_bytes, before[1]))
        try:
            yield
        finally:
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, before)
            self.recover()

    def recover(self) -> None:
        """
        Wait until nothing of an earlier request is left that could refuse another.
        """
        wait_until(self._writes, _BACK_S, "the node to write again")

    def _writes(self) -> bool:
        try:
            written = self.client.index(index="writes", document={}, timeout="1s")
        except ApiError:
            return False
        return bool(written["result"] == "created")


def one_item(reply: Reply, status: int) -> Reply | None:
    """
    Cut an answer down to its first item of a status; None when it has none.
    """
    items = json.loads(reply.body)["items"] if reply.body else []
    for item in items:
        if item["create"]["status"] == status:
            return replace(reply, body=json.dumps({"errors": True, "items": [item]}).encode())
    return None
