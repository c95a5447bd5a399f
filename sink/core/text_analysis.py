"""
How text is analyzed: the best variant of a component template that every node can do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sink.core.template import Kind, TemplateSource, parse
from sink.core.template_body import Body
from sink.errors import ConfigError

COMPONENT = "sink-text"
# Source: "Nodes info API". The name is asked for so that a node without any is in the answer too.
PLUGINS = "/_nodes/plugins?filter_path=nodes.*.plugins.name,nodes.*.modules.name,nodes.*.name"
# Dictionaries know Chinese words; pairs of characters find more than single ones do.
_BEST_FIRST = ("ik", "smartcn", "cjk")


class Variant(NamedTuple):
    """
    What may stand in for the component, and the plugin or module that it takes.
    """

    name: str
    requires: str
    body: Body


class Choice(NamedTuple):
    """
    The sources with the variant in its place, and why it is that one.
    """

    sources: list[TemplateSource]
    why: str


def of_every_node(answer: Mapping[str, Any]) -> frozenset[str] | None:
    """
    Read from the answer to `PLUGINS` what every node has; None where it names no node.
    """
    nodes = answer.get("nodes", {}).values()
    kinds = ("plugins", "modules")
    found = [{each["name"] for kind in kinds for each in node.get(kind, ())} for node in nodes]
    return frozenset(set.intersection(*found)) if found else None


def parse_variant(name: str, text: str) -> Variant:
    """
    Read the JSON source of a variant.

    Raises:
        ConfigError: It is none: see `sink.core.template.parse`.
    """
    if name not in _BEST_FIRST:
        raise ConfigError(f"text/{name}.json: the variants are {', '.join(_BEST_FIRST)}")
    body = parse(Kind.COMPONENT, name, text).body
    meta = body["_meta"]
    assert isinstance(meta, dict)  # it has a version
    if not isinstance(meta.get("requires"), str):
        raise ConfigError(f"text/{name}.json: _meta.requires names no plugin or module")
    return Variant(name, meta["requires"], body)


def choose(
    sources: Iterable[TemplateSource],
    variants: Sequence[Variant],
    present: frozenset[str] | None,
    existing: Body | None = None,
) -> Choice:
    """
    Choose how text is analyzed.

    Args:
        present: Plugins and modules that every node has; None where the cluster does not tell.
        existing: The component in the cluster. What it chose stays while the cluster tells nothing.
    """
    ranked = sorted(variants, key=lambda variant: _BEST_FIRST.index(variant.name))
    if present is None:
        named = _name_of(existing)
        found = next((each for each in ranked if each.name == named), None)
        why = "the cluster does not tell its plugins (grant the cluster privilege monitor)"
    else:
        found = next((each for each in ranked if each.requires in present), None)
        better = ranked[: ranked.index(found)] if found else ranked
        lacking = ", ".join(each.requires for each in better)
        have = f"every node has {found.requires}" if found else ""
        lack = f"not every node has {lacking}" if lacking else ""
        why = " and ".join(filter(None, (have, lack)))
    name = found.name if found else "standard"
    replaced = [
        source._replace(body=found.body) if found and source.name == COMPONENT else source
        for source in sources
    ]
    return Choice(replaced, f"text is analyzed by {name}: {why}" if variants else "")


def _name_of(body: Body | None) -> object:
    meta = (body or {}).get("_meta")
    return meta.get("variant") if isinstance(meta, dict) else None
