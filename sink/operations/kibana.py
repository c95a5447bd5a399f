"""
`sink kibana`: set up data views and the starter dashboard.
"""

import asyncio
from typing import NamedTuple

from sink.config import Config
from sink.core.data_view import Action, Link, Step
from sink.edge.kafka.admin import Brokers
from sink.edge.kibana import Kibana
from sink.kibana.setup import (
    DashboardStep,
    Views,
    carry_out,
    link,
    plan,
    plan_dashboard,
    set_up_dashboard,
    view_of_all,
    views_for,
)


class SetUp(NamedTuple):
    """
    What is or was done, the data view of the dashboard last.
    """

    steps: list[Step]
    links: list[Link]  # to those that Kibana did not refuse
    dashboard: DashboardStep
    left_out: int  # data views beyond kibana.data_views_max


def set_up(config: Config, *, dry_run: bool) -> SetUp:
    """
    Set up what is missing for the topics that the brokers have.

    Args:
        dry_run: Ask only, and tell what would be done.
    Raises:
        ConfigError: No kibana.url is set, or the space is not there.
        Unauthorized, Unavailable: Of Kafka or Kibana, with the reason.
    """
    kibana = Kibana(config.kibana)
    views = views_for(config, Brokers(config.kafka).topics())
    return asyncio.run(_set_up(kibana, config, views, dry_run=dry_run))


async def _set_up(kibana: Kibana, config: Config, views: Views, *, dry_run: bool) -> SetUp:
    wanted = [*views.wanted, view_of_all(config, views.wanted)]
    async with kibana:
        steps = await plan(kibana, config, wanted)
        dashboard = plan_dashboard(config)
        if not dry_run:
            steps = await carry_out(kibana, steps)
            dashboard = await set_up_dashboard(kibana, config, steps[-1])
    links = [link(config, step) for step in steps if step.action is not Action.REFUSED]
    return SetUp(steps, links, dashboard, views.left_out)
