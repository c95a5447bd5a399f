"""
What a template says of the one before it, and what comes back when it is rolled back.
"""

from collections.abc import Mapping

import pytest

from sink.core.template import Kind, Template, patterns_of
from sink.core.template_body import Body, content, meta_of, previous_of, rolled_back, signed
from sink.core.template_body import succeeding as after
from sink.core.template_plan import Step, StepAction, plan


def _version(number: int, *patterns: str) -> dict[str, object]:
    body: dict[str, object] = {"_meta": {"version": number}}
    return signed(body | ({"index_patterns": [*patterns]} if patterns else {}))


FIRST, SECOND = _version(1, "a-*", "c-*"), _version(2, "a-*", "b-*")
UPGRADED = after(SECOND, FIRST)


def test_more_patterns_leave_what_was_before_as_it_is() -> None:
    wider = _version(2, "a-*", "b-*", "d-*")

    previous = previous_of(after(wider, UPGRADED, wider=True))

    assert previous is not None
    assert content(previous) == content(FIRST)
    assert "previous" not in meta_of(after(wider, SECOND, wider=True))


@pytest.mark.parametrize("previous", ["1", 1, None, []])
def test_what_is_no_template_is_nothing_to_go_back_to(previous: object) -> None:
    assert rolled_back({"_meta": {"previous": previous}}) is None


def test_rolled_back_a_template_has_the_patterns_of_both() -> None:
    """A route that came with the newer version keeps its mapping."""
    back = rolled_back(UPGRADED)

    assert back is not None
    assert (meta_of(back)["version"], back["index_patterns"]) == (1, ["a-*", "b-*", "c-*"])
    previous = previous_of(back)
    assert previous is not None
    assert content(previous) == content(UPGRADED)


def test_what_a_template_says_of_itself_is_read_by_every_version_of_the_sink() -> None:
    """It stays in the cluster: under other names nobody would find what to go back to."""
    back = rolled_back(UPGRADED)

    assert back is not None
    meta = meta_of(back)
    assert {*meta} == {
        *("version", "owner", "checksum", "content_checksum"),
        *("previous", "rolled_back_from"),
    }
    assert meta["owner"] == "ekk-sink"


def test_rolled_back_a_component_has_no_patterns() -> None:
    back = rolled_back(after(_version(2), _version(1)))

    assert back is not None
    assert "index_patterns" not in back


def _planned(kind: Kind, wanted: Body, there: Body | None) -> Step:
    assert isinstance(there, Mapping)
    (step,) = plan([Template(kind, "ekk", wanted)], {(kind, "ekk"): there})
    assert step.existing == there, "what is there is shown beside what is wanted"
    return step


def test_what_a_person_rolled_back_is_held_and_only_gets_the_patterns_of_new_routes() -> None:
    there = rolled_back(UPGRADED)

    held = _planned(Kind.INDEX, SECOND, there)
    wider = _planned(Kind.INDEX, _version(2, "n-*"), there)

    assert (held.action, wider.action) == (StepAction.HELD, StepAction.UPDATE)
    assert "sink templates rollback ekk" in held.reason
    assert "new routes" in wider.reason
    assert patterns_of(wider.template) == ["a-*", "b-*", "c-*", "n-*"]
    assert meta_of(wider.template.body)["version"] == 1


def test_a_policy_that_is_there_is_never_changed_and_a_foreign_one_is_told() -> None:
    own = _planned(Kind.POLICY, {}, FIRST)
    foreign = _planned(Kind.POLICY, {}, {"phases": {}})

    assert (own.action, foreign.action) == (StepAction.KEEP, StepAction.FOREIGN)
    assert "never changed" in own.reason
    assert "Rename it" in foreign.reason


def test_the_words_of_a_plan_stay_what_scripts_read() -> None:
    words = ["create", "update", "keep", "newer", "held", "foreign", "left out"]

    assert [*StepAction] == words


def test_an_alias_that_is_there_is_kept_and_an_index_of_its_name_told() -> None:
    step = _planned(Kind.ALIAS, {}, {"aliases": {"ekk": {}}})
    in_the_way = _planned(Kind.ALIAS, {}, {"settings": {}})

    assert (step.action, step.reason) == (StepAction.KEEP, "it is there")
    assert in_the_way.action is StepAction.FOREIGN
    assert "_reindex" in in_the_way.reason
