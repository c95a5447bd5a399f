"""
`-c FILE` stands wherever a person puts it.
"""

import pytest

from tests.cli.memory_sides import sink

COMMANDS = [
    ("run",),
    ("check",),
    ("templates", "plan"),
    ("templates", "apply"),
    ("templates", "list"),
    ("templates", "show", "ekk"),
    ("templates", "diff"),
    ("templates", "rollback", "ekk"),
    ("templates", "simulate", "ekk-order"),
    ("config", "show"),
]
PLACES = [(words, place) for words in COMMANDS for place in range(len(words) + 1)]


@pytest.mark.parametrize(("words", "place"), PLACES)
def test_each_command_reads_the_file_named_at_any_place(words: tuple[str, ...], place: int) -> None:
    result = sink(*words[:place], "-c", "nowhere.toml", *words[place:])

    assert "file nowhere.toml: cannot be read: No such file" in result.stderr
    assert result.exit_code == 2
