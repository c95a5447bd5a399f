"""
The indices of an Elasticsearch in memory, as who creates them ahead of time sees them.
"""

from sink.testing.elastic import FakeElastic


class FakeIndices:
    """
    Asks and creates indices.

    Args:
        failure: What every call raises, if anything.
    """

    def __init__(self, elastic: FakeElastic, failure: Exception | None = None) -> None:
        self._elastic = elastic
        self.failure = failure
        self.asked: list[str] = []
        self.created: list[str] = []

    async def exists(self, index: str) -> bool:
        """
        Tell whether an index is there.
        """
        self.asked.append(index)
        if self.failure is not None:
            raise self.failure
        return index in self._elastic.indices

    async def create(self, index: str) -> bool:
        """
        Create an index; False where it is there already.
        """
        if self.failure is not None:
            raise self.failure
        if index in self._elastic.indices:
            return False
        self._elastic.indices[index] = {}
        self.created.append(index)
        return True
