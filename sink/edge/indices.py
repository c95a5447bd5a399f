"""
Questions about single indices, and their creation.
"""

from urllib.parse import quote

from sink.edge.elastic import Elastic
from sink.edge.elastic_answers import Refused

_THERE_ALREADY = "resource_already_exists_exception"
_NOT_FOUND = 404


class ClusterIndices:
    """
    The indices of the cluster that a client is of.
    """

    def __init__(self, elastic: Elastic) -> None:
        self._elastic = elastic

    async def exists(self, index: str) -> bool:
        """
        Tell whether there is an index, alias or data stream of a name.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            await self._elastic.ask("GET", f"/{quote(index, safe='')}?filter_path=none")
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise
            return False
        return True

    async def create(self, index: str) -> bool:
        """
        Create an index as its template says; False where it is there already.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            await self._elastic.ask("PUT", f"/{quote(index, safe='')}", {})
        except Refused as refused:
            if refused.error_type != _THERE_ALREADY:
                raise
            return False
        return True
