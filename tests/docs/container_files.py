"""
Reads docker-compose.yml and Dockerfile for the tests that hold them against what they are about.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"


class Instruction(NamedTuple):
    """
    One instruction of a Dockerfile, its lines joined.
    """

    name: str
    text: str

    def words(self) -> list[str]:
        """
        Read the JSON list that it ends with: what is run without a shell.
        """
        found: list[str] = json.loads(self.text[self.text.index("[") :])
        return found


def compose() -> dict[str, Any]:
    """
    Read the whole compose file.
    """
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return loaded


def environment(service: str) -> dict[str, str]:
    """
    Give the variables of a service as its container has them.
    """
    given = compose()["services"][service]["environment"]
    return {name: str(value) for name, value in given.items()}


def listeners(variable: str) -> dict[str, str]:
    """
    Read one of Kafka's lists of listeners: name → host:port.
    """
    return dict(one.split("://") for one in environment("kafka")[variable].split(","))


def stages() -> list[list[Instruction]]:
    """
    Read the Dockerfile: the instructions of each stage, its FROM first.
    """
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text("utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: list[list[Instruction]] = []
    for name, rest in (line.split(maxsplit=1) for line in lines if line):
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest))
    return found


def only(stage: list[Instruction], name: str) -> Instruction:
    """
    Take the one instruction of that name.
    """
    (found,) = (one for one in stage if one.name == name)
    return found
