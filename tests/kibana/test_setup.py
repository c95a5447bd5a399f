"""
Data views and dashboard against the fake Kibana: made when missing, left alone otherwise.
"""

import asyncio
import threading
from typing import Any

import pytest

from sink.config import Config
from sink.core.data_view import Action, DataView, Step, object_id
from sink.edge.kibana import Kibana
from sink.errors import ConfigError, Unavailable
from sink.kibana.setup import (
    DashboardStep,
    carry_out,
    link,
    plan,
    set_up_dashboard,
    view_of_all,
    views_for,
)
from sink.testing import FakeKibana
from tests.kibana.sides import config_of

TOPICS = ["ekk-Order", "ekk-order.service_v2-x", "ekk-...", "unread"]
TITLE = "sag-order_20*-*-*,sag-order_undated"


def set_up(config: Config, topics: list[str]) -> tuple[list[Step], DashboardStep]:
    async def work() -> tuple[list[Step], DashboardStep]:
        wanted = views_for(config, topics).wanted
        async with Kibana(config.kibana) as kibana:
            planned = await plan(kibana, config, [*wanted, view_of_all(config, wanted)])
            steps = await carry_out(kibana, planned)
            return steps, await set_up_dashboard(kibana, config, steps[-1])

    return asyncio.run(work())


def test_every_topic_whatever_it_is_called_gets_a_data_view_and_a_link() -> None:
    with FakeKibana(spaces=["logs"], base_path="/k") as fake:
        config = config_of(fake, space="logs", public_url="https://kibana.example.com")
        steps, dashboard = set_up(config, TOPICS)

        made = fake.data_views("logs")
        assert {view["name"]: view["title"] for view in made.values()} == {
            "...": "sag-____20*-*-*,sag-____undated",
            "Order": TITLE,
            "order.service_v2-x": ("sag-order_service_v2-x_20*-*-*,sag-order_service_v2-x_undated"),
            "all logs of log-sink": "sag-*",
        }
        for step in steps:
            assert step.action is Action.CREATE
            url = link(config, step).url
            assert url.startswith("https://kibana.example.com/s/logs/app/discover#/?")
            assert step.view.id in made and step.view.id in url
        assert dashboard.url.rpartition("/")[2] in fake.dashboards("logs")


def test_the_second_time_nothing_is_written() -> None:
    with FakeKibana() as fake:
        config = config_of(fake)
        set_up(config, TOPICS)
        before = fake.data_views(), fake.dashboards()

        steps, dashboard = set_up(config, TOPICS)

        assert {step.action for step in steps} | {dashboard.action} == {Action.KEEP}
        assert (fake.data_views(), fake.dashboards()) == before


def test_the_time_field_is_the_one_of_the_template() -> None:
    with FakeKibana() as fake:
        config = config_of(fake)
        (order, whole), _ = set_up(config, ["ekk-order"])

        views = fake.data_views()
        assert views[order.view.id]["timeFieldName"] == order.wanted.time_field
        assert views[whole.view.id]["timeFieldName"] == order.wanted.time_field


def test_a_data_view_of_the_same_title_by_somebody_else_is_used_and_not_changed() -> None:
    with FakeKibana() as fake:
        fake.add_data_view(TITLE, id_="it's theirs!", name="our orders")
        config = config_of(fake)
        before = fake.data_views()["it's theirs!"]

        steps, _ = set_up(config, ["ekk-order"])

        assert steps[0].action is Action.KEEP
        assert steps[0].view == DataView("it's theirs!", TITLE, "our orders")
        assert fake.data_views()["it's theirs!"] == before
        assert "it!'s%20theirs!!" in link(config, steps[0]).url


def test_a_name_that_somebody_took_for_other_indices_does_not_keep_ours_away() -> None:
    with FakeKibana() as fake:
        fake.add_data_view("payments-*", id_="p", name="order")

        steps, _ = set_up(config_of(fake), ["ekk-order"])

        assert steps[0].action is Action.CREATE
        assert fake.data_views()[steps[0].view.id]["name"] == f"order ({TITLE})"


def test_one_that_kibana_refuses_does_not_stop_the_others() -> None:
    """Ours is in another space already, out of our sight: ids are unique across spaces."""
    with FakeKibana(spaces=["elsewhere"]) as fake:
        fake.add_data_view("x", id_=object_id(None, TITLE), space="elsewhere")

        steps, dashboard = set_up(config_of(fake), ["ekk-a", "ekk-order", "ekk-z"])

        assert [step.action for step in steps] == ["create", "refused", "create", "create"]
        assert "conflict" in steps[1].reason
        assert dashboard.action is Action.CREATE


def test_two_sinks_that_set_up_at_once_make_each_data_view_once() -> None:
    """Both see that nothing is there before either writes."""
    both_planned = threading.Barrier(2, timeout=10)
    with FakeKibana() as fake:
        config = config_of(fake)
        found: list[list[Step]] = []

        async def one() -> list[Step]:
            async with Kibana(config.kibana) as kibana:
                wanted = views_for(config, [f"ekk-{n}" for n in range(20)]).wanted
                steps = await plan(kibana, config, wanted)
                await asyncio.to_thread(both_planned.wait)
                return await carry_out(kibana, steps)

        threads = [
            threading.Thread(target=lambda: found.append(asyncio.run(one()))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        first, second = found
        assert len(fake.data_views()) == 20
        for ours, theirs in zip(first, second, strict=True):
            assert ours.view == theirs.view
            assert {ours.action, theirs.action} == {Action.CREATE, Action.KEEP}


def test_a_kibana_that_fails_in_the_midst_leaves_the_rest_for_the_next_time() -> None:
    with FakeKibana() as fake:
        fake.before_create = lambda: fake.not_ready() if fake.data_views() else None
        with pytest.raises(Unavailable, match="not ready yet"):
            set_up(config_of(fake), TOPICS)
        assert len(fake.data_views()) == 1

        fake.before_create = None
        fake.ready()
        set_up(config_of(fake), TOPICS)
        assert len(fake.data_views()) == 4


def test_in_a_space_that_is_not_there_nothing_is_made() -> None:
    with FakeKibana() as fake:
        with pytest.raises(ConfigError, match="no space 'lgos'"):
            set_up(config_of(fake, space="lgos"), TOPICS)

        assert not fake.data_views("lgos")
        assert "POST" not in {each.method for each in fake.asked}


def test_no_more_data_views_are_made_than_were_allowed() -> None:
    config = config_of("http://k", data_views_max=2)

    views = views_for(config, [f"ekk-{n}" for n in range(5)])

    assert (len(views.wanted), views.left_out) == (2, 3)


def test_a_dashboard_that_its_user_changed_is_kept() -> None:
    with FakeKibana() as fake:
        _, made = set_up(config_of(fake), ["ekk-order"])
        (id_,) = fake.dashboards()
        fake.dashboards()[id_]["attributes"]["title"] = "mine"

        _, again = set_up(config_of(fake), ["ekk-order", "ekk-new"])

        assert (made.action, again.action) == (Action.CREATE, Action.KEEP)
        assert fake.dashboards()[id_]["attributes"]["title"] == "mine"


def test_a_dashboard_that_kibana_refuses_is_told_with_the_reason() -> None:
    with FakeKibana(spaces=["elsewhere"]) as fake:
        fake.add_data_view("x", id_=object_id(None, "sag-*"), space="elsewhere")

        steps, dashboard = set_up(config_of(fake), ["ekk-order"])

        assert steps[-1].action is dashboard.action is Action.REFUSED
        assert "missing_references" in dashboard.reason


def test_the_data_view_of_all_covers_what_every_route_writes() -> None:
    routes: list[dict[str, Any]] = [
        {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}},
        {"name": "bare", "prefix": "bare-"},
        {"name": "gw", "topics": ["kong"], "index": {"name": "gw-%Y"}},
    ]
    config = Config.model_validate({"routes": routes})

    whole = view_of_all(config, views_for(config, ["ekk-a", "bare-b"]).wanted)

    assert whole.title == "b_20*-*-*,b_undated,gw-*,gw_undated,sag-*"
    assert whole.topics == ("ekk-a", "bare-b", "kong")
