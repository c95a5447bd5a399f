"""
Documents that went to the overflow of their route, because too many indices were new that hour.

Which these are depends on what was new then, so it is asked for: a replay that made the index now
would put a second document beside each of them.
"""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from sink.core.dead_letter import target_of
from sink.edge.elastic import Elastic
from sink.edge.search import Name, Pages
from sink.operations.item import Item


async def where_they_are(elastic: Elastic, items: Sequence[Item]) -> list[Item]:
    """
    Bind documents for the overflow that are there already.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    asked = {
        Name(item.overflow, target_of(item.action)[1] or ""): item
        for item in items
        if item.overflow is not None
    }
    if not asked:
        return list(items)
    pages = Pages(elastic)
    wanted = [{"_index": name.in_index, "_id": name.id} for name in asked]
    absent = {*await pages.ask(orjson.dumps(wanted)), *await pages.rest()}
    there = {id(item) for name, item in asked.items() if name not in absent}
    return [_bound_for(item, item.overflow) if id(item) in there else item for item in items]


def _bound_for(item: Item, index: str | None) -> Item:
    assert index is not None
    ((op_type, target),) = orjson.loads(item.action).items()
    action = orjson.dumps({op_type: target | {"_index": index}})
    return replace(item, action=action, index=index)
