"""
Survivors that were read, and why no test can notice them.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("survivors.toml")
_ROOT = Path(__file__).parents[2]


def _unless_a_sentence(literal: re.Match[str]) -> str:
    return "" if " " in literal[0] else literal[0]


# Parts of the code whose mutants nobody can notice: two sides that differ in nothing else are one.
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str], str], ...] = (
    # A sentence is for people, and may be worded otherwise. A name that programs read has no space.
    (
        re.compile(r"'[^']*'|\"[^\"]*\""),
        _unless_a_sentence,
        "the words of a sentence for people",
    ),
    (
        re.compile(r"(?<=cast\()[^,]*"),
        lambda _: "",
        "cast() tells the type checker and does nothing",
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """
    What a mutant changes, each side on one line.
    """

    file: str
    function: str
    was: str
    becomes: str

    def __str__(self) -> str:
        """
        Give the row of the file that would explain it, but for the reason.
        """
        pair = json.dumps([self.was, self.becomes], ensure_ascii=False)
        return (
            f'[[survivor]]\nfile = "{self.file}"\nfunction = "{self.function}"\nwhy = ""\n'
            f"changes = [{pair}]\n"
        )


class Explanations:
    """
    The reasons in the file, and which of them are of survivors that are no more.
    """

    def __init__(self, file: Path = FILE) -> None:
        rows = tomllib.loads(file.read_text())["survivor"]
        self._reasons = {
            Change(row["file"], row["function"], was, becomes): row["why"]
            for row in rows
            for was, becomes in row["changes"]
        }
        self._used: set[Change] = set()

    def rule(self, change: Change) -> str | None:
        """
        Tell which rule explains a survivor, if one does.
        """
        same = (
            why
            for part, left, why in _RULES
            if part.sub(left, change.was) == part.sub(left, change.becomes)
        )
        return next(same, None)

    def explain(self, change: Change) -> str | None:
        """
        Tell why no test can notice a survivor; None where that is not written down.
        """
        self._used.add(change)
        return self.rule(change) or self._reasons.get(change)

    def outdated(self) -> list[Change]:
        """
        List the reasons of lines that stand in their files no more.
        """
        return [each for each in self._reasons if each.was not in _on_one_line(each.file)]

    def unused(self, files: Iterable[str]) -> list[Change]:
        """
        List the reasons whose survivors were not met in some files: killed by now, or rewritten.
        """
        met = set(files)
        return [each for each in self._reasons if each.file in met and each not in self._used]


@cache
def _on_one_line(file: str) -> str:
    path = _ROOT / file
    return " ".join(map(str.strip, path.read_text("utf-8").splitlines())) if path.exists() else ""
