"""
Findings on the routes: an index without a template, or with another one than the sink's.
"""

from sink.core.coverage import shadowed, uncovered
from sink.core.destination import Destination
from sink.core.template import Kind, Template, render
from sink.templates import load

EKK = Destination("ekk", "log", ("sag-*",), "sag-a_2026-11-01")
KONG = Destination("kong", "kong", ("kong-*", "kong_undated"), "kong-2026")


def _template(name: str, patterns: list[str], priority: int | None = None) -> Template:
    return Template(Kind.INDEX, name, {"index_patterns": patterns, "priority": priority})


def test_a_route_is_covered_when_each_of_its_indices_has_a_template() -> None:
    assert uncovered([EKK, KONG], [_template("a", ["sag-*"]), _template("b", ["kong*"])]) == []


def test_a_route_with_one_index_that_no_template_matches_is_uncovered() -> None:
    templates = [_template("a", ["sag-*", "kong-*"])]

    assert uncovered([EKK, KONG], templates) == ["kong"]


def test_a_template_for_some_indices_of_a_route_does_not_cover_it() -> None:
    assert uncovered([EKK], [_template("a", ["sag-orders-*"])]) == ["ekk"]


def test_a_route_without_a_pattern_is_uncovered() -> None:
    assert uncovered([Destination("r", "log", (), "x")], [_template("a", ["*"])]) == ["r"]


def test_a_template_of_higher_priority_takes_the_index_of_a_route() -> None:
    ours = _template("ekk", ["logs-*"], 90)
    stack = _template("logs", ["logs-*-*"], 100)
    route = Destination("r", "log", ("logs-*",), "logs-a_2026-11-01")

    assert [("r", ours, stack)] == shadowed([route], [ours], [stack])


def test_of_several_templates_the_one_of_the_highest_priority_counts() -> None:
    ours = [_template("low", ["sag-*"], 1), _template("high", ["sag-*"], 90)]
    others = [_template("z", ["sag-*"], 2), _template("a", ["*"], 50)]

    assert shadowed([EKK], ours, others) == []
    assert shadowed([EKK], others, ours) == [("ekk", others[1], ours[1])]


def test_a_route_that_no_template_of_ours_or_theirs_matches_is_not_said_to_be_taken() -> None:
    ours, theirs = _template("ours", ["sag-*"], 1), _template("theirs", ["other-*"], 9)

    assert shadowed([EKK], [ours], [theirs]) == []
    assert shadowed([EKK], [theirs], [ours]) == []


def test_no_priority_is_the_lowest() -> None:
    ours, theirs = _template("ours", ["sag-*"]), _template("theirs", ["sag-*"], 1)

    assert shadowed([EKK], [ours], [theirs]) == [("ekk", ours, theirs)]


def test_a_template_of_the_same_priority_is_not_said_to_win() -> None:
    assert shadowed([EKK], [_template("a", ["sag-*"], 5)], [_template("b", ["*"], 5)]) == []


def test_a_template_of_lower_or_no_priority_or_of_other_indices_takes_nothing() -> None:
    others = [_template("x", ["*"], 1), _template("y", ["*"]), _template("z", ["logs-*-*"], 100)]

    assert shadowed([EKK], [_template("ekk", ["sag-*"], 90)], others) == []


def test_a_data_stream_needs_a_template_that_makes_them_and_an_index_one_that_does_not() -> None:
    index, stream = (
        Destination("index", "log", ("logs-*",), "logs-a"),
        Destination("stream", "log", ("logs-*-prod",), "logs-a-prod", stream=True),
    )
    plain = _template("plain", ["logs-*"])
    streams = Template(Kind.INDEX, "s", {"index_patterns": ["logs-*"], "data_stream": {}})

    assert uncovered([index, stream], [plain]) == ["stream"]
    assert uncovered([index, stream], [streams]) == ["index"]
    assert uncovered([index, stream], [plain, streams]) == []


def test_the_template_that_elasticsearch_brings_for_logs_loses_against_that_of_a_data_stream() -> (
    None
):
    stream = Destination("s", "log", ("logs-*-prod",), "logs-a-prod", stream=True)
    built_in = Template(
        Kind.INDEX, "logs", {"index_patterns": ["logs-*-*"], "data_stream": {}, "priority": 100}
    )
    ours = [template for template in wanted_of(stream) if template.kind is Kind.INDEX]

    assert [template.name for template in ours] == ["ekk-data-stream"]
    assert ours[0].body["data_stream"] == {}
    assert ours[0].body["index_patterns"] == ["logs-*-prod"]
    assert shadowed([stream], ours, [built_in]) == []
    assert uncovered([stream], ours) == []


def wanted_of(*destinations: Destination) -> list[Template]:
    return render(load(None), destinations)
