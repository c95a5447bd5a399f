"""
The templates that put indices under a lifecycle: the collector's own, and nothing of it is lost.
"""

import hashlib

import pytest

from sink.core.destination import Destination
from sink.core.lifecycle import Lifecycle, Rollover
from sink.core.lifecycle_template import Means, kept
from sink.core.template_body import Body, signed

TEMPLATE = {
    "mappings": {"dynamic": True},
    "settings": {"number_of_shards": 2, "index": {"codec": "best_compression"}},
}
BODY: Body = {"priority": 7, "template": TEMPLATE}
KEPT = Lifecycle(90, None, 32)
ROLLED = Lifecycle(90, None, rollover=Rollover(30, 50))
SAG = Destination("r", "log", ("sag-*",), "sag-x", lifecycle=KEPT, ageing={"sag-*": ("sag-*0",)})
NAME = f"ekk-lifecycle-{hashlib.sha256(b'sag-*').hexdigest()[:8]}"


def _settings(lifecycle: dict[str, str]) -> Body:
    index = {"codec": "best_compression", "lifecycle": lifecycle}
    return {**TEMPLATE, "settings": {"number_of_shards": 2, "index": index}}


def test_it_is_the_collectors_template_with_a_lifecycle_above_it() -> None:
    """Also its name is the same in every version: another would leave the old one in place."""
    assert kept("ekk", BODY, [SAG], {}, {}) == {
        NAME: {
            "priority": 12,
            "template": _settings({"name": KEPT.policy}),
            "index_patterns": ["sag-*0"],
        }
    }


@pytest.mark.parametrize("priority", [{}, {"priority": None}])
def test_a_template_without_a_priority_has_none(priority: dict[str, object]) -> None:
    (found,) = kept("ekk", {"template": TEMPLATE, **priority}, [SAG], {}, {}).values()

    assert found["priority"] == 5


@pytest.mark.parametrize("alias", [True, False])
def test_only_what_rolls_over_behind_an_alias_is_told_it(alias: bool) -> None:
    route = SAG._replace(lifecycle=ROLLED, alias=alias, ageing={"app": ("app-0*",)})

    (found,) = kept("ekk", BODY, [route], {}, {}).values()

    named = {"rollover_alias": "app"} if alias else {}
    assert found["template"] == _settings({"name": ROLLED.policy, **named})


@pytest.mark.parametrize("lifecycle", [KEPT, None])
def test_what_nothing_can_keep_any_more_loses_its_lifecycle_and_nothing_else(
    lifecycle: Lifecycle | None,
) -> None:
    there = signed({"index_patterns": ["sag-*0", "sag-*1"]})

    found = kept(
        "ekk",
        BODY,
        [SAG._replace(lifecycle=lifecycle)],
        {KEPT.policy: Means.NOTHING},
        {"ekk-lifecycle-old": there, "other-lifecycle-old": there},
    )

    assert found == {
        "ekk-lifecycle-old": {**BODY, "priority": 12, "index_patterns": ["sag-*0", "sag-*1"]}
    }
