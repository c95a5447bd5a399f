"""
Configuration files of tests: in the working folder, which `empty_folder` makes an empty one.
"""

from pathlib import Path

import pytest

from sink.config import load
from sink.errors import ConfigError

ROUTE = '[[routes]]\nname = "logs"\nprefix = "log-"\n'


def written(text: str, name: str = "sink.toml") -> Path:
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def refusal(text: str, **overrides: object) -> list[str]:
    """The lines of the error a file causes."""
    Path("sink.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(Path("sink.toml"), overrides)
    return str(caught.value).splitlines()
