"""
Which data views the routes ask for, and what is done about those that are there.
"""

from urllib.parse import unquote

import pytest

from sink.config import Config
from sink.core.data_view import (
    Action,
    DataView,
    Step,
    Wanted,
    dashboard_url,
    discover_url,
    object_id,
    plan,
    wanted_views,
)
from sink.core.route import Route
from sink.routes import routes_of

EKK: dict[str, object] = {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}
GATEWAYS: dict[str, object] = {
    "name": "gateways",
    "topics": ["kong", "apisix"],
    "index": {"name": "gw-%Y.%m.%d"},
}
ORDER = Wanted("sag-order_20*-*-*", "order", "@timestamp", ("ekk-order",))


def routes(*tables: dict[str, object]) -> list[Route]:
    return routes_of(Config.model_validate({"routes": list(tables)}))


def test_each_user_topic_has_a_data_view_of_its_own_indices() -> None:
    views = wanted_views(routes(EKK), ["ekk-order", "ekk-order.service", "other"], {})

    assert views == [
        Wanted("sag-order_20*-*-*,sag-order_undated", "order", "@timestamp", ("ekk-order",)),
        Wanted(
            "sag-order_service_20*-*-*,sag-order_service_undated",
            "order.service",
            "@timestamp",
            ("ekk-order.service",),
        ),
    ]


def test_topics_whose_indices_have_one_pattern_share_a_data_view_named_by_their_route() -> None:
    """A route may name topics that are not there yet: their data view is there before them."""
    (view,) = wanted_views(routes(GATEWAYS), [], {"gateways": "started_at"})

    assert view == Wanted("gw-20*.*.*,gw_undated", "gateways", "started_at", ("apisix", "kong"))


def test_topics_that_differ_only_in_what_no_index_name_keeps_share_a_data_view() -> None:
    (view,) = wanted_views(routes(EKK), ["ekk-a.B", "ekk-a_b"], {})

    assert view.topics == ("ekk-a.B", "ekk-a_b")
    assert view.name == "ekk"


def test_the_first_route_that_matches_a_topic_names_its_indices() -> None:
    wide: dict[str, object] = {"name": "wide", "pattern": "ekk-.*", "index": {"prefix": "wide-"}}

    (view,) = wanted_views(routes(EKK, wide), ["ekk-order"], {})

    assert view.title.startswith("sag-order_")


def test_a_missing_data_view_is_created_under_the_same_id_each_time() -> None:
    (first,), (second,) = plan([ORDER], [], None), plan([ORDER], [], None)

    assert first == second
    assert (first.view.id, first.wanted) == (object_id(None, ORDER.title), ORDER)
    assert first.reason == "there is none yet"
    assert (first.action, first.view.name, first.view.title) == (
        Action.CREATE,
        "order",
        "sag-order_20*-*-*",
    )


def test_ids_differ_between_spaces_because_kibanas_are_unique_across_them() -> None:
    assert object_id("logs", "a") != object_id(None, "a") == object_id("default", "a")


def test_in_a_space_the_one_with_that_spaces_id_is_looked_for_and_made() -> None:
    elsewhere = DataView(object_id(None, ORDER.title), "sag-*", "mine now")

    (step,) = plan([ORDER], [elsewhere], "logs")

    assert (step.action, step.view.id) == (Action.CREATE, object_id("logs", ORDER.title))


def test_views_are_listed_by_their_names() -> None:
    other: dict[str, object] = {"name": "b", "topics": ["billing"], "index": {"name": "z-{topic}"}}

    views = wanted_views(routes(EKK, other), ["ekk-order"], {})

    assert [view.name for view in views] == ["billing", "order"]


def test_ids_are_those_of_earlier_versions_too() -> None:
    """Others would be made beside what is there."""
    assert object_id(None, "a") == "5d1c19a2-8d55-5572-ad0e-39ad7657e1eb"


def test_ours_is_kept_whatever_its_user_has_made_of_it() -> None:
    changed = DataView(object_id(None, ORDER.title), "sag-*", "mine now")

    (step,) = plan([ORDER], [changed], None)

    assert step == Step(Action.KEEP, changed, ORDER, "it is there")


def test_one_of_the_same_title_by_somebody_else_is_kept_and_used() -> None:
    theirs = DataView("theirs", ORDER.title, "anything")

    (step,) = plan([ORDER], [theirs], None)

    assert step == Step(Action.KEEP, theirs, ORDER, "one of the same title is there")


def test_a_name_that_is_taken_is_told_apart_by_the_indices() -> None:
    """Kibana refuses two data views of one name."""
    twin = ORDER._replace(title="other-order_20*-*-*")

    steps = plan([ORDER, twin], [DataView("x", "orders-*", "order")], None)

    assert [step.view.name for step in steps] == [
        "order (sag-order_20*-*-*)",
        "order (other-order_20*-*-*)",
    ]


def test_two_new_ones_of_one_name_are_told_apart_as_well() -> None:
    twin = ORDER._replace(title="other-order_20*-*-*")

    assert [step.view.name for step in plan([ORDER, twin], [], None)] == [
        "order",
        "order (other-order_20*-*-*)",
    ]


@pytest.mark.parametrize(
    ("space", "begin"), [(None, "/app"), ("default", "/app"), ("a", "/s/a/app")]
)
def test_links_go_into_their_space(space: str | None, begin: str) -> None:
    base = "https://kibana.example.com/base"

    assert discover_url(base, space, "x").startswith(f"{base}{begin}/discover#/?")
    assert dashboard_url(base, space, "x") == f"{base}{begin}/dashboards#/view/x"


def test_links_show_the_last_quarter_of_an_hour_of_a_data_view_or_a_dashboard() -> None:
    assert discover_url("http://k", None, "x") == (
        "http://k/app/discover#/?_g=(time:(from:now-15m,to:now))&_a=(index:'x')"
    )
    assert dashboard_url("http://k", None, "a/b c") == "http://k/app/dashboards#/view/a%2Fb%20c"


def test_an_id_by_somebody_else_cannot_break_out_of_a_link() -> None:
    """Ids are anything in Kibana; the state of the link is rison, whose quote is escaped by !."""
    url = discover_url("http://k", None, """a'b!c"d e&_a=<x>#""")

    assert "_a=(index:'a!'b!!c" in url
    assert not set(url.partition("#")[2]) & set('" <>#')
    assert unquote(url).endswith("""a!'b!!c"d e&_a=<x>#')""")
