"""
The configuration as a commented TOML file, and single values in TOML's form.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from sink.config.index import IndexSettings
from sink.config.reference import Setting, number, sections, settings
from sink.config.routes import RouteSettings
from sink.config.settings import Config

_HEAD = """\
Configuration of the sink. Every setting is here with its default; take away the # to change it.
Each can also come from the environment, as SINK__KAFKA__THREADS=4, and a flag wins over both.
"""

STARTER = Config(
    routes=(RouteSettings(name="logs", prefix="log-", index=IndexSettings(prefix="log-")),)
)


def literal(value: object) -> str:
    """
    Write a value as TOML does. Sequences and mappings come out on one line.
    """
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{literal(str(key))} = {literal(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return repr(value)
    # A JSON text is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")


def render(config: Config = STARTER) -> str:
    """
    Write a configuration with every setting; what is at its default stands commented out.

    Secrets come out masked and must be filled in again.
    """
    rows: dict[str, list[Setting]] = {}
    for row in settings():
        rows.setdefault(row.table, []).append(row)
    values = config.model_dump(mode="json")
    lines = [f"# {line}".rstrip() for line in _HEAD.splitlines()]
    tables = [name for name, _ in sections() if "." not in name]
    for table in tables:
        repeated = isinstance(values[table], list)
        for given in values[table] if repeated else [values[table]]:
            header = f"[[{table}]]" if repeated else f"[{table}]"
            lines += ["", header, *_entries(rows[table], given)]
            for inner in (name for name in rows if name.startswith(f"{table}.")):
                held = given[inner.removeprefix(f"{table}.")]
                lines += ["", f"[{inner}]", *_entries(rows[inner], held)]
    return "\n".join(lines) + "\n"


def _entries(rows: list[Setting], values: Mapping[str, Any]) -> Iterator[str]:
    for row in rows:
        notes = ", ".join(filter(None, (row.unit, row.bounds)))
        text = row.help + (f" ({notes})" if notes else "")
        yield from textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")
        value = values.get(row.name)
        if value is not None and (row.required or value != _plain(row.default)):
            yield f"{row.name} = {literal(value)}"
        elif row.default is None:
            yield f"#{row.name} = {literal(row.example)}  # an example, there is no default"
        else:
            yield f"#{row.name} = {literal(row.default)}"


def _plain(default: object) -> object:
    return list(default) if isinstance(default, tuple) else default
