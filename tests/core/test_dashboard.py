"""
The starter dashboard is a saved object that holds together.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sink.core.dashboard import PANELS, dashboard, panels_for

NUMBERS = {"response.status": "short", "latencies.request": "double", "latency": "double"}
TEXTS = ("level", "loggername", "logger", "logger_name", "route.name", "route_id")
ALL = NUMBERS | dict.fromkeys(TEXTS, "keyword")


_FIELDS: dict[str, dict[str, str]] = {"every panel": ALL, "nothing mapped": {}}
_KEPT = Path(__file__).parents[1] / "fixtures" / "dashboard.json"


def _opened(fields: dict[str, str]) -> dict[str, Any]:
    """The saved object, with the JSON inside it as objects."""
    saved, panels = made(fields)
    inside = saved["attributes"]
    search = inside["kibanaSavedObjectMeta"]
    inside["panelsJSON"] = panels
    inside["optionsJSON"] = json.loads(inside["optionsJSON"])
    search["searchSourceJSON"] = json.loads(search["searchSourceJSON"])
    return saved


def made(fields: dict[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The saved object, and its panels."""
    raw = dashboard("the-id", "Logs", "the-view", "@timestamp", fields)
    assert raw.count(b"\n") == 1 and raw.endswith(b"\n")
    saved: dict[str, Any] = json.loads(raw)
    panels: list[dict[str, Any]] = json.loads(saved["attributes"]["panelsJSON"])
    return saved, panels


@pytest.mark.parametrize("name", ["every panel", "nothing mapped"])
def test_the_saved_object_is_the_one_that_is_kept(name: str) -> None:
    """
    Kibana reads words and numbers that mean nothing here. Who changes them tries the new object in
    a Kibana, and keeps it: `python -m tests.core.test_dashboard`.
    """
    assert json.loads(_KEPT.read_text("utf-8"))[name] == _opened(_FIELDS[name])


def test_it_shows_level_loggers_status_codes_and_slow_routes_where_they_are_mapped() -> None:
    _, panels = made(ALL)

    assert [panel["title"] for panel in panels] == [panel.title for panel in PANELS]


def test_a_panel_of_a_field_that_nobody_maps_is_left_out() -> None:
    """Kibana would show an error in its place."""
    titles = [panel.title for panel in panels_for({"level": "keyword", "latency": "double"})]

    assert titles == ["Documents by level"]


def test_where_nothing_is_known_it_shows_the_rate_alone() -> None:
    _, (panel,) = made({})

    layers = panel["embeddableConfig"]["attributes"]["state"]["visualization"]["layers"]
    assert "splitAccessor" not in layers[0]


def test_every_panel_shows_the_data_view_by_a_reference_that_is_there() -> None:
    saved, panels = made(ALL)

    there = {(each["name"], each["id"]) for each in saved["references"]}
    for panel in panels:
        (inside,) = panel["embeddableConfig"]["attributes"]["references"]
        assert (f"{panel['panelIndex']}:{inside['name']}", "the-view") in there
        assert inside["id"] == "the-view"
    assert len(there) == len(panels)


@pytest.mark.parametrize("fields", [ALL, {}])
def test_every_column_that_is_shown_is_one_of_its_layer(fields: dict[str, str]) -> None:
    _, panels = made(fields)

    for panel in panels:
        state = panel["embeddableConfig"]["attributes"]["state"]
        ((name, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
        shown = state["visualization"]
        of_layer = shown["layers"][0] if "layers" in shown else shown
        columns = layer["columns"]
        assert of_layer["layerId"] == name
        assert layer["columnOrder"] == list(columns)
        buckets = [columns[each]["isBucketed"] for each in columns]
        assert buckets == sorted(buckets, reverse=True), "Lens wants buckets first"
        named = {column["columnId"] for column in of_layer.get("columns", ())}
        named |= {of_layer.get("xAccessor"), of_layer.get("splitAccessor")} - {None}
        named |= {*of_layer.get("accessors", ())}
        assert named == set(columns)
        for column in columns.values():
            order = column["params"].get("orderBy", {"columnId": "count"})
            assert order["columnId"] in columns


def test_panels_do_not_lie_on_each_other() -> None:
    _, panels = made(ALL)

    places = [(p["gridData"]["x"], p["gridData"]["y"]) for p in panels]
    assert len(set(places)) == len(panels)
    assert all(p["gridData"]["x"] + p["gridData"]["w"] <= 48 for p in panels)


@pytest.mark.parametrize(
    ("mapped", "told"),
    [
        *dict.fromkeys(
            ("long", "integer", "short", "byte", "double", "float", "half_float"), "number"
        ).items(),
        ("keyword", "string"),
    ],
)
def test_a_number_is_told_apart_as_a_number(mapped: str, told: str) -> None:
    _, panels = made({"response.status": mapped})

    state = panels[0]["embeddableConfig"]["attributes"]["state"]
    columns = state["datasourceStates"]["formBased"]["layers"]["layer-1"]["columns"]
    assert columns["split"]["dataType"] == told


if __name__ == "__main__":
    _KEPT.write_text(
        json.dumps({name: _opened(each) for name, each in _FIELDS.items()}, indent=1) + "\n",
        "utf-8",
    )
