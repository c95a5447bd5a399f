"""
The starter dashboard: rate by level, top loggers, status codes, slow routes.

Saved objects in the form in which Kibana 8.9 and later exports a dashboard with Lens panels inside
(typeMigrationVersion 8.9.0); later versions bring them up to theirs at the import. A panel is there
when the templates of the routes map its fields: a panel of an unknown field would show an error.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_CORE_VERSION = "8.8.0"
_DASHBOARD_VERSION = "8.9.0"
_COLUMNS, _WIDTH, _HEIGHT = 2, 24, 12  # a dashboard is 48 wide
_TOP = 10
_SLOW_PERCENTILE = 95
_NUMBERS = frozenset({"long", "integer", "short", "byte", "double", "float", "half_float"})

Json = dict[str, Any]


class Panel(NamedTuple):
    """
    What one panel shows.
    """

    title: str
    over_time: bool  # bars over time, else a table of the top values
    split: str  # field whose values are told apart; empty: none
    slow: str = ""  # field whose 95th percentile is shown beside each value


# Each with the fields of the collectors' templates; those that nobody maps are left out.
PANELS = (
    Panel("Documents by level", over_time=True, split="level"),
    Panel("Status codes", over_time=True, split="response.status"),
    Panel("Top loggers", over_time=False, split="loggername"),  # the EKK appender
    Panel("Top loggers (logger)", over_time=False, split="logger"),  # zap
    Panel("Top loggers (logger_name)", over_time=False, split="logger_name"),  # Logstash
    Panel("Slow routes", over_time=False, split="route.name", slow="latencies.request"),  # Kong
    Panel("Slow routes (route_id)", over_time=False, split="route_id", slow="latency"),  # APISIX
)
_PLAIN = Panel("Documents", over_time=True, split="")


def panels_for(fields: Mapping[str, str]) -> list[Panel]:
    """
    Choose the panels whose fields are mapped; where there are none, the rate of all documents.
    """
    fit = [p for p in PANELS if p.split in fields and (not p.slow or p.slow in fields)]
    return fit or [_PLAIN]


def dashboard(
    id_: str, title: str, view_id: str, time_field: str, fields: Mapping[str, str]
) -> bytes:
    """
    Make the saved object of the dashboard.

    Args:
        view_id: The data view that all its panels show.
        fields: What the templates map, name → type.
    Returns:
        NDJSON of one line, as `POST /api/saved_objects/_import` takes it.
    """
    panels = panels_for(fields)
    shown = [_panel(n, each, view_id, time_field, fields) for n, each in enumerate(panels, 1)]
    saved = {
        "id": id_,
        "type": "dashboard",
        "coreMigrationVersion": _CORE_VERSION,
        "typeMigrationVersion": _DASHBOARD_VERSION,
        "attributes": {
            "title": title,
            "description": "Made by `sink kibana setup`. Yours to change: it is not overwritten.",
            "timeRestore": False,
            "version": 1,
            "panelsJSON": json.dumps(shown),
            "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
            "kibanaSavedObjectMeta": {
                "searchSourceJSON": json.dumps({"query": _everything(), "filter": []})
            },
        },
        "references": [
            {"type": "index-pattern", "id": view_id, "name": f"{n}:{_reference(n)}"}
            for n in range(1, len(panels) + 1)
        ],
    }
    return json.dumps(saved, separators=(",", ":")).encode() + b"\n"


def _panel(
    number: int, panel: Panel, view_id: str, time_field: str, fields: Mapping[str, str]
) -> Json:
    across, down = (number - 1) % _COLUMNS, (number - 1) // _COLUMNS
    grid = {"x": across * _WIDTH, "y": down * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    columns = dict(_columns(panel, time_field, fields))
    shown = _bars(panel, _layer(number)) if panel.over_time else _table(columns, _layer(number))
    layer = {"columnOrder": list(columns), "columns": columns, "incompleteColumns": {}}
    attributes = {
        "title": "",
        "type": "lens",
        "visualizationType": "lnsXY" if panel.over_time else "lnsDatatable",
        "references": [{"type": "index-pattern", "id": view_id, "name": _reference(number)}],
        "state": {
            "adHocDataViews": {},
            "datasourceStates": {"formBased": {"layers": {_layer(number): layer}}},
            "filters": [],
            "internalReferences": [],
            "query": _everything(),
            "visualization": shown,
        },
    }
    return {
        "type": "lens",
        "title": panel.title,
        "panelIndex": str(number),
        "gridData": {**grid, "i": str(number)},
        "embeddableConfig": {"attributes": attributes, "enhancements": {}},
    }


def _columns(
    panel: Panel, time_field: str, fields: Mapping[str, str]
) -> Iterator[tuple[str, Json]]:
    """
    Give the columns of a layer, buckets before metrics: Lens wants them in this order.
    """
    if panel.over_time:
        params: Json = {"interval": "auto", "includeEmptyRows": True, "dropPartials": False}
        yield "time", _column("date_histogram", time_field, "date", time_field, params)
    if panel.split:
        kind = "number" if fields[panel.split] in _NUMBERS else "string"
        yield "split", _column("terms", panel.split, kind, panel.split, _top(panel))
    if panel.slow:
        label = f"{_SLOW_PERCENTILE}th percentile of {panel.slow}"
        percentile = {"percentile": _SLOW_PERCENTILE}
        yield "slow", _column("percentile", panel.slow, "number", label, percentile)
    yield "count", _column("count", "___records___", "number", "Documents", {"emptyAsNull": True})


def _top(panel: Panel) -> Json:
    return {
        "size": _TOP,
        "orderBy": {"type": "column", "columnId": "slow" if panel.slow else "count"},
        "orderDirection": "desc",
        "otherBucket": False,
        "missingBucket": False,
        "parentFormat": {"id": "terms"},
        "include": [],
        "exclude": [],
        "includeIsRegex": False,
        "excludeIsRegex": False,
    }


_SCALES = {"date_histogram": "interval", "terms": "ordinal"}


def _column(operation: str, field: str, kind: str, label: str, params: Json) -> Json:
    return {
        "operationType": operation,
        "sourceField": field,
        "dataType": kind,
        "label": label,
        "customLabel": True,
        "isBucketed": operation in _SCALES,
        "scale": _SCALES.get(operation, "ratio"),
        "params": params,
    }


def _bars(panel: Panel, layer: str) -> Json:
    data = {
        "layerId": layer,
        "layerType": "data",
        "seriesType": "bar_stacked",
        "xAccessor": "time",
        "accessors": ["count"],
        **({"splitAccessor": "split"} if panel.split else {}),
    }
    return {
        "preferredSeriesType": "bar_stacked",
        "layers": [data],
        "legend": {"isVisible": True, "position": "right"},
        "valueLabels": "hide",
        "fittingFunction": "None",
    }


def _table(columns: Mapping[str, Json], layer: str) -> Json:
    shown = [{"columnId": name, "isTransposed": False} for name in columns]
    return {"layerId": layer, "layerType": "data", "columns": shown}


def _layer(number: int) -> str:
    return f"layer-{number}"


def _reference(number: int) -> str:
    return f"indexpattern-datasource-layer-{_layer(number)}"


def _everything() -> Json:
    return {"language": "kuery", "query": ""}
