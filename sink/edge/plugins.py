"""
Loads collectors that are not the sink's own: out of a file, a module or an entry point.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from sink.core.collector import Collector
from sink.errors import ConfigError

GROUP = "sink.collectors"


def load_collector(name: str, known: frozenset[str] = frozenset()) -> Collector:
    """
    Load a collector.

    Args:
        name: `file.py:function`, `package.module:function`, or the name of an entry point.
        known: Names of the built-in ones, for the message.
    Returns:
        What is found there: a function of a record, or a whole `Collector`.
    Raises:
        ConfigError: With the file and the line where there is one.
    """
    place, separator, attribute = name.rpartition(":")
    if not separator:
        return _collector(name, _of_entry_point(name, known))
    if not place or not attribute:
        raise ConfigError(f"{name!r} is neither file.py:function nor package.module:function")
    is_file = place.endswith(".py") or "/" in place
    module = _of_file(Path(place)) if is_file else _module(place)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ConfigError(f"{_file_of(module) or place}: there is no {attribute} in it")
        found = getattr(found, part)
    return _collector(name, found)


def _collector(name: str, found: Any) -> Collector:
    if isinstance(found, Collector):
        return found
    if not callable(found) or isinstance(found, type):
        what = type(found).__name__ if not isinstance(found, type) else "class"
        raise ConfigError(f"{name} is a {what}; it must be a function that takes a record")
    return Collector(name, found)


def _of_file(path: Path) -> ModuleType:
    """
    Load a file once, however many routes name it.
    """
    name = f"sink.collectors of {path.resolve()}"
    if name in sys.modules:
        return sys.modules[name]
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file (paths begin at the working directory)")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the file look for it there
    loader = spec.loader
    try:
        return _guarded(str(path), lambda: loader.exec_module(module)) or module
    except ConfigError:
        del sys.modules[name]
        raise


def _module(name: str) -> ModuleType:
    found = _guarded(name, lambda: importlib.import_module(name))
    assert isinstance(found, ModuleType)
    return found


def _of_entry_point(name: str, known: frozenset[str]) -> Any:
    points = {point.name: point for point in entry_points(group=GROUP)}
    point: EntryPoint | None = points.get(name)
    if point is None:
        names = ", ".join(sorted(known | points.keys()))
        raise ConfigError(f"{name!r} is unknown; known: {names}; or give file.py:function")
    return _guarded(f"entry point {name} ({point.value})", point.load)


def _guarded(what: str, load: Callable[[], Any]) -> Any:
    """
    Load the user's code; whatever it raises becomes an error of the configuration.
    """
    try:
        return load()
    except (Exception, SystemExit) as failure:
        raise ConfigError(f"{_place(what, failure)}: {_told(failure)}") from failure


def _place(what: str, failure: BaseException) -> str:
    """
    Tell file and line: of the code that is no Python, else of the user's last call.
    """
    if isinstance(failure, SyntaxError) and failure.filename:
        return f"{failure.filename}:{failure.lineno}"
    own = (__file__, importlib.__file__)
    frames = [
        frame
        for frame in traceback.extract_tb(failure.__traceback__)
        if frame.filename not in own
        and not frame.filename.startswith("<")
        and "/importlib/" not in frame.filename
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else what


def _told(failure: BaseException) -> str:
    told = failure.msg if isinstance(failure, SyntaxError) else str(failure)
    return f"{type(failure).__name__}: {told}"


def _file_of(module: ModuleType) -> str | None:
    return getattr(module, "__file__", None)
