"""
The templates, lifecycle policies and aliases of an Elasticsearch in memory.

It refuses what Elasticsearch refuses, and gives back what Elasticsearch would. Nothing grows old:
no policy is ever carried out.
"""

import copy
from collections.abc import Callable, Mapping
from functools import reduce
from types import TracebackType
from typing import Any, Self

from sink.core.coverage import winner
from sink.core.destination import covers
from sink.core.feature import version_of_cluster
from sink.core.lifecycle import overlapping
from sink.core.template import Kind, Template
from sink.edge.elastic_answers import Refused
from sink.edge.template_answers import first_index
from sink.testing.lifecycle_policies import normal, refusal

# Which came when. Sources: elastic/elasticsearch #92436 and #96235; "Data stream lifecycle".
_SINCE = {
    "ignore_missing_component_templates": (8, 7),
    "lifecycle": (8, 11),
    "index.mapping.total_fields.ignore_dynamic_beyond_limit": (8, 14),
}


class FakeTemplates:
    """
    A cluster as far as `sink.templates` asks it.

    Args:
        version: Of Elasticsearch.
        ilm: It has index lifecycle management.
        plugins: What every node has.
    """

    def __init__(
        self, version: str = "8.19.2", *, ilm: bool = True, plugins: frozenset[str] = frozenset()
    ) -> None:
        self.version = version
        self.ilm = ilm
        self.nodes_have = plugins
        self.bodies: dict[tuple[str, str], dict[str, Any]] = {}
        self.policy_versions: dict[str, int] = {}
        self.indices: dict[str, dict[str, Any]] = {}  # index → what it got, its aliases included
        self.puts: list[str] = []  # names, in the order they were written
        self._puts: Mapping[str, Callable[[str, dict[str, Any]], None]] = {
            Kind.COMPONENT: self._put_component,
            Kind.INDEX: self._put_index,
            Kind.POLICY: self._put_policy,
            Kind.ALIAS: self._put_first,
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None: ...

    async def ping(self) -> str:
        """
        Tell the version.
        """
        return self.version

    async def plugins(self) -> frozenset[str] | None:
        """
        Tell what every node has.
        """
        return self.nodes_have

    async def has_ilm(self) -> bool:
        """
        Tell whether there is index lifecycle management.
        """
        return self.ilm

    async def get_template(self, kind: str, name: str) -> dict[str, object] | None:
        """
        Give what was written, with what Elasticsearch adds.
        """
        if kind == Kind.ALIAS:
            return self._alias(name)
        if kind == Kind.POLICY:
            self._ask_ilm()
        return copy.deepcopy(self.bodies.get((kind, name)))

    async def get_templates(self, kind: str) -> dict[str, dict[str, object]]:
        """
        Give all of a kind.
        """
        found = {name: body for (its, name), body in self.bodies.items() if its == kind}
        return copy.deepcopy(found)

    async def put_template(self, kind: str, name: str, body: Mapping[str, object]) -> None:
        """
        Take it as a whole, or raise `Refused` with Elasticsearch's reason.
        """
        self._puts[kind](name, copy.deepcopy(dict(body)))
        self.puts.append(name)

    async def simulate_index(self, index: str) -> dict[str, Any]:
        """
        Tell what an index of a name would get. Source: "Simulate index API".
        """
        there = await self.get_templates(Kind.INDEX)
        every = [Template(Kind.INDEX, name, body) for name, body in there.items()]
        taken = winner(index, every)
        if taken is None:
            return {}
        matching = [
            {"name": each.name, "index_patterns": each.body["index_patterns"]}
            for each in every
            if each != taken and any(covers(p, index) for p in _list(each.body, "index_patterns"))
        ]
        parts = [self.bodies.get((Kind.COMPONENT, n)) for n in _list(taken.body, "composed_of")]
        inner = [part.get("template", {}) for part in (*parts, taken.body) if part]
        empty: dict[str, Any] = {"settings": {}, "mappings": {}, "aliases": {}}
        return {"template": reduce(_merged, inner, empty), "overlapping": matching}

    def _ask_ilm(self) -> None:
        if not self.ilm:  # the answer of a node without the module
            raise Refused("no handler found for uri [/_ilm/policy] and method [GET]", 400, "")

    def _put_component(self, name: str, body: dict[str, Any]) -> None:
        self._check_inner(body)
        self.bodies[Kind.COMPONENT, name] = _given_back(body)

    def _put_index(self, name: str, body: dict[str, Any]) -> None:
        patterns = _list(body, "index_patterns")
        if not patterns:
            raise _refused("action_request_validation_exception", "index patterns are missing")
        self._check_inner(body)
        self._check_age("ignore_missing_component_templates", body)
        absent = [n for n in _list(body, "composed_of") if (Kind.COMPONENT, n) not in self.bodies]
        absent = [n for n in absent if n not in _list(body, "ignore_missing_component_templates")]
        if absent:
            reason = f"specifies component templates {absent} that do not exist"
            raise _refused("invalid_index_template_exception", f"index_template [{name}] {reason}")
        self._check_priority(name, patterns, body.get("priority", 0))
        if "data_stream" not in body and "lifecycle" in body.get("template", {}):
            reason = "lifecycle configuration is only for data streams"
            raise _refused("illegal_argument_exception", f"index template [{name}]: {reason}")
        self.bodies[Kind.INDEX, name] = _given_back(body)

    def _put_policy(self, name: str, body: dict[str, Any]) -> None:
        self._ask_ilm()
        reason = refusal(name, body)
        if reason is not None:
            raise _refused("illegal_argument_exception", reason)
        self.policy_versions[name] = self.policy_versions.get(name, 0) + 1
        self.bodies[Kind.POLICY, name] = normal(body)

    def _put_first(self, name: str, body: dict[str, Any]) -> None:
        if name in self.indices:
            reason = "an index or data stream exists with the same name as the alias"
            raise _refused("invalid_alias_name_exception", f"Invalid alias name [{name}]: {reason}")
        self.indices.setdefault(first_index(name), body)

    def _alias(self, name: str) -> dict[str, object] | None:
        behind = [i for i, its in self.indices.items() if name in its.get("aliases", {})]
        return {"aliases": sorted(behind)} if behind or name in self.indices else None

    def _check_inner(self, body: Mapping[str, Any]) -> None:
        template = body.get("template", {})
        self._check_age("lifecycle", template)
        for setting in _flat("", template.get("settings", {})):
            self._check_age(setting, {setting: True})
            if setting.startswith("index.lifecycle.") and not self.ilm:
                raise _unknown(setting)

    def _check_age(self, key: str, body: Mapping[str, Any]) -> None:
        if key in body and version_of_cluster(self.version) < _SINCE.get(key, (0, 0)):
            raise _unknown(key)

    def _check_priority(self, name: str, patterns: list[str], priority: int) -> None:
        for (kind, other), body in self.bodies.items():
            if kind != Kind.INDEX or other == name or body.get("priority", 0) != priority:
                continue
            theirs = _list(body, "index_patterns")
            if any(overlapping(one, another) for one in patterns for another in theirs):
                raise _refused(
                    "illegal_argument_exception",
                    f"index template [{name}] has index patterns {patterns} matching patterns from "
                    f"existing templates [{other}] with patterns ({other} => {theirs}) that have "
                    f"the same priority [{priority}], multiple index templates may not match "
                    "during index creation, please use a different priority",
                )


def _given_back(body: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write a template as Elasticsearch does: with what it adds, and settings as objects of texts.

    Source: its answers to "Get index template" and "Get component template".
    """
    found, inner = dict(body), dict(body.get("template", {}))
    if "data_stream" in found:
        defaults = {"hidden": False, "allow_custom_routing": False}
        found["data_stream"] = {**defaults, **found["data_stream"]}
    if "lifecycle" in inner:
        inner["lifecycle"] = {"enabled": True, **inner["lifecycle"]}
    if "settings" in inner:
        flat = _flat("", inner["settings"]).items()
        inner["settings"] = reduce(_merged, (_object(key, value) for key, value in flat), {})
    return {**found, "template": inner} if inner else found


def _object(key: str, value: Any) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    return dict(value)


def _merged(one: Any, other: Any) -> Any:
    """
    Compose: what comes later wins, object by object. Source: "Index templates".
    """
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return other
    return {**one, **{k: _merged(one[k], v) if k in one else v for k, v in other.items()}}


def _flat(prefix: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        inner = {prefix + key: _texts(value)}
        found |= _flat(f"{prefix}{key}.", value) if isinstance(value, Mapping) else inner
    index = "index."
    return {k if k.startswith(index) or prefix else index + k: v for k, v in found.items()}


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _list(body: Mapping[str, Any], key: str) -> list[str]:
    return list(body.get(key) or [])


def _unknown(name: str) -> Refused:
    return _refused("illegal_argument_exception", f"unknown setting [{name}]")


def _refused(error_type: str, reason: str) -> Refused:
    return Refused(f"Elasticsearch refuses: 400 {error_type}: {reason}", 400, error_type)
