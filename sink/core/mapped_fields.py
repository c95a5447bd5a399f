"""
Which fields the index templates map, as far as Kibana needs to know them.
"""

from collections.abc import Iterable, Mapping, Sequence

from sink.core.coverage import winner
from sink.core.data_view import TIMESTAMP
from sink.core.destination import Destination
from sink.core.template import Kind, Template
from sink.core.template_body import Body

_DATES = ("date", "date_nanos")


def mapped_fields(templates: Sequence[Template], each: Destination) -> dict[str, str]:
    """
    List the fields that the index of a route has from its template: name → type.

    Fields that only a foreign template or a document's own value maps are not known.
    """
    index = winner(each.sample, (t for t in templates if t.kind is Kind.INDEX))
    if index is None:
        return {}
    parts = index.body.get("composed_of")
    names = parts if isinstance(parts, list) else []
    components = {t.name: t for t in templates if t.kind is Kind.COMPONENT}
    bodies = [components[name].body for name in names if name in components]
    return {name: kind for body in [*bodies, index.body] for name, kind in _properties(body)}


def time_field(fields: Mapping[str, str]) -> str:
    """
    Choose the time field of a data view: @timestamp, unless the template has only another date.

    Without a template it is @timestamp too: Elasticsearch makes a date of it by itself.
    """
    dates = [name for name, kind in fields.items() if kind in _DATES]
    return TIMESTAMP if TIMESTAMP in dates or not dates else dates[0]


def _properties(body: Body) -> Iterable[tuple[str, str]]:
    """
    Read name and type of the fields in a template's mappings. Those with fields inside have none.
    """
    found: object = body
    for key in ("template", "mappings", "properties"):
        found = found.get(key) if isinstance(found, Mapping) else None
    for name, mapping in found.items() if isinstance(found, Mapping) else ():
        kind = mapping.get("type") if isinstance(mapping, Mapping) else None
        if isinstance(kind, str):
            yield str(name), kind
