"""
The lifecycle's settings: a number of days or forever, said in one sentence where it is neither.
"""

import pytest

from sink.config import Config, LifecycleSettings, load
from sink.errors import ConfigError

ROUTES = [{"name": "a", "prefix": "a-"}]


@pytest.mark.parametrize(("given", "held"), [(90, 90), ("90", 90), ("forever", "forever")])
def test_days_are_a_number_or_forever(given: object, held: object) -> None:
    config = Config.model_validate({"routes": ROUTES, "lifecycle": {"keep_days": given}})

    assert config.lifecycle.keep_days == held


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("given", ["0", "-1", "x", "1.5", "36501", "true", "٣x", "²"])
def test_what_is_neither_is_refused_in_one_sentence(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SINK__ROUTES", '[{"name": "a", "prefix": "a-"}]')
    monkeypatch.setenv("SINK__LIFECYCLE__KEEP_DAYS", given)

    with pytest.raises(ConfigError, match=r"lifecycle\.keep_days: is a number") as caught:
        load()

    (line,) = (line for line in str(caught.value).splitlines() if "keep_days" in line)
    assert "or forever" in line


def test_nothing_is_set_unless_a_person_does() -> None:
    """Else an upgrade of the sink would delete indices."""
    assert set(LifecycleSettings().model_dump().values()) == {None}


def test_a_routes_own_values_win_also_forever() -> None:
    general = LifecycleSettings(keep_days=90, warm_days=7)

    assert LifecycleSettings(keep_days="forever").over(general) == LifecycleSettings(
        keep_days="forever", warm_days=7
    )
    assert LifecycleSettings().over(general) == general
