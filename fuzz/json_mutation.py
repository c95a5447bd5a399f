"""
Mutations of parsed JSON: what an answer holds, where it should not be.
"""

import copy
import random
from collections.abc import Callable
from typing import Any

_DEEP = 300
_WORDS = (
    "errors", "items", "create", "index", "delete", "update", "status", "error", "type", "reason",
    "caused_by", "failure_store", "used", "_index", "_id",
    "version_conflict_engine_exception", "illegal_argument_exception", "cluster_block_exception",
    "document_parsing_exception", "index_not_found_exception", "es_rejected_execution_exception",
    "security_exception", "unavailable_shards_exception", "status_exception", "\ud83d", "²", "",
)  # fmt: skip
_NUMBERS = (
    0, 1, -1, 100, 199, 200, 201, 202, 204, 299, 302, 400, 401, 403, 404, 405, 409, 410, 413, 418,
    429, 499, 500, 502, 503, 599, 2010, 10**30, 201.0, 1e300,
)  # fmt: skip
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, "201")

_Place = tuple[Any, Any]  # an object or a list, and a key or a position in it


def mutated(value: Any, chance: random.Random) -> Any:
    """
    Change parsed JSON in one to three places.

    Raises:
        RecursionError: It is nested too deep for that.
    """
    holder = [value]
    for _ in range(chance.randint(1, 3)):
        places = _places(holder)
        changes: tuple[Callable[[Any, Any, random.Random], None], ...] = (
            _replace, _replace, _replace, _remove, _repeat, _rename, _add, _wrap, _take_from,
        )  # fmt: skip
        chance.choice(changes)(*chance.choice(places), chance)
    return holder[0] if holder else None


def _places(holder: list[Any]) -> list[_Place]:
    found: list[_Place] = []
    waiting: list[Any] = [holder]
    while waiting:
        held = waiting.pop()
        keys = list(held) if isinstance(held, dict) else range(len(held))
        found += [(held, key) for key in keys]
        waiting += [held[key] for key in keys if isinstance(held[key], dict | list)]
    return found or [({"": None}, "")]


def _some(chance: random.Random) -> Any:
    return chance.choice(chance.choice((_WORDS, _NUMBERS, _OTHERS)))


def _replace(held: Any, key: Any, chance: random.Random) -> None:
    held[key] = copy.copy(_some(chance))


def _remove(held: Any, key: Any, _: random.Random) -> None:
    del held[key]


def _repeat(held: Any, key: Any, _: random.Random) -> None:
    if isinstance(held, list):
        held.insert(key, copy.deepcopy(held[key]))


def _rename(held: Any, key: Any, chance: random.Random) -> None:
    if isinstance(held, dict):
        held[chance.choice(_WORDS)] = held.pop(key)


def _add(held: Any, key: Any, chance: random.Random) -> None:
    if isinstance(held[key], dict):
        held[key][chance.choice(_WORDS)] = copy.copy(_some(chance))


def _wrap(held: Any, key: Any, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, _DEEP))):
        held[key] = {chance.choice(_WORDS): held[key]} if chance.random() < 0.5 else [held[key]]


def _take_from(held: Any, key: Any, chance: random.Random) -> None:
    """
    Put a part of the same object or list into this place.
    """
    other = chance.choice(list(held) if isinstance(held, dict) else range(len(held)))
    held[key] = copy.deepcopy(held[other])
