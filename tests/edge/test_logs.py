"""
A library that repeats itself is heard once in a while.
"""

import logging

from sink.edge.logs import Seldom


def _heard(seldom: Seldom, *messages: str, level: int = logging.ERROR) -> list[bool]:
    return [
        seldom.filter(logging.LogRecord("librdkafka", level, "", 0, message, None, None))
        for message in messages
    ]


def test_the_same_thing_of_the_same_client_is_said_once_in_a_while() -> None:
    seldom = Seldom(every_s=3600)
    first, again = "FAIL [consumer-1] refused after 0 ms", "FAIL [consumer-1] refused after 3 ms"

    assert _heard(seldom, first, again, again) == [True, False, False]


def test_another_client_another_thing_and_another_level_are_heard() -> None:
    seldom = Seldom(every_s=3600)
    others = ["FAIL [consumer-1] a", "FAIL [consumer-2] a", "MAXPOLL [consumer-1] a"]

    assert _heard(seldom, *others) == [True, True, True]
    assert _heard(seldom, "FAIL [consumer-1] a", level=logging.WARNING) == [True]


def test_after_a_while_it_is_said_again() -> None:
    assert _heard(Seldom(every_s=0), "FAIL [c] a", "FAIL [c] a") == [True, True]
