"""
Back to the version of a template that was there before.

The previous body stands in the template itself, so it is there from every machine, and so is the
mark by which no sink writes the version again that a person rolled back.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sink.core.template import TEMPLATES, Kind, Template
from sink.core.template_body import is_own, previous_of, rolled_back, version_of
from sink.core.template_plan import Step, StepAction
from sink.errors import ConfigError
from sink.templates.planning import TemplateStore, installed


class Kept(NamedTuple):
    """
    A template of the cluster with a previous version.
    """

    kind: Kind
    name: str
    version: int
    previous: int


async def kept(store: TemplateStore) -> list[Kept]:
    """
    List the sink's templates that can be rolled back.
    """
    return [
        Kept(each.kind, each.name, version_of(each.body), version_of(previous))
        for each in await installed(store)
        if (previous := previous_of(each.body)) is not None
    ]


async def rollback(
    store: TemplateStore, names: Sequence[str], *, dry_run: bool = True
) -> list[Step]:
    """
    Put the previous version in the place of templates: for the next index, none that is there.

    Raises:
        ConfigError: One is not the sink's, or has no previous version. Then none is written.
    """
    steps = [step for name in names for step in [await _step(store, name)]]
    for step in steps:
        if not dry_run:
            await store.put_template(step.template.kind, step.template.name, step.template.body)
    return steps


async def _step(store: TemplateStore, name: str) -> Step:
    for kind in (TEMPLATES[1], TEMPLATES[0]):
        existing = await store.get_template(kind, name)
        if existing is None or not is_own(existing):
            continue
        before = rolled_back(existing)
        if before is None:
            raise ConfigError(
                f"{kind} template {name!r} has no previous version: it was written once, or last "
                "by a sink that kept none"
            )
        reason = f"from version {version_of(existing)} to version {version_of(before)}"
        return Step(StepAction.UPDATE, Template(kind, name, before), reason, existing)
    raise ConfigError(
        f"no template {name!r} of the sink's is in the cluster: `sink templates list` shows them"
    )
