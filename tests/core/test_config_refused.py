"""
Mistakes in the configuration: each is said with its place, its reason and the nearest name.
"""

from pathlib import Path

import pytest

from sink.config import elasticsearch, kafka, load
from sink.config.reference import settings
from sink.errors import ConfigError
from tests.configuring import ROUTE, refusal

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[kafka]\nthread = 1\n", "kafka.thread: unknown setting, did you mean threads?"),
        ("[kafkaa]\n", "kafkaa: unknown setting, did you mean kafka?"),
        ("[bulk]\nhosts = []\n", "bulk.hosts: unknown setting, did you mean elasticsearch.hosts?"),
        ("[bulk]\nxyzzy = 1\n", "bulk.xyzzy: unknown setting"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_name(text: str, line: str) -> None:
    assert refusal(text + ROUTE) == [f"file sink.toml: {line}"]


def test_an_unknown_setting_of_a_route_is_named_with_its_place() -> None:
    lines = refusal(ROUTE + "index = { zon = 'UTC' }\n")

    assert lines == ["file sink.toml: routes[0].index.zon: unknown setting, did you mean zone?"]


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("SINK__KAFKA__THREAD", "kafka.thread: unknown setting, did you mean threads?"),
        ("SINK__KAFFKA__THREADS", "kaffka: unknown setting, did you mean kafka?"),
        ("SINK__THREADS", "threads: unknown setting, did you mean kafka.threads?"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_name(
    variable: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")

    assert refusal(ROUTE) == [f"environment {variable}: {line}"]


def test_an_unknown_flag_is_named_with_the_nearest_name() -> None:
    lines = refusal(ROUTE, **{"log.levle": "info"})

    assert lines == ["flag: log.levle: unknown setting, did you mean level?"]


def test_every_problem_is_reported_at_once_each_on_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SINK__BULK__DOCS_MAX", "many")

    lines = refusal(
        "[kafka]\nthreads = 65\n[log]\nlevel = 'loud'\n" + ROUTE, **{"bulk.linger_ms": -1}
    )

    assert [line.rpartition(": ")[0] for line in lines] == [
        "file sink.toml: kafka.threads",
        "environment SINK__BULK__DOCS_MAX: bulk.docs_max",
        "flag: bulk.linger_ms",
        "file sink.toml: log.level",
    ]
    assert lines[0].endswith("should be less than or equal to 64")
    assert lines[3].endswith("should be 'debug', 'info', 'warning' or 'error'")


def test_a_mistake_in_toml_is_reported_with_its_line() -> None:
    (line,) = refusal("[kafka]\nthreads = \n")

    assert line.startswith("file sink.toml: is no TOML: ")
    assert "at line 2" in line


def test_a_file_that_cannot_be_read_is_named() -> None:
    Path("latin.toml").write_bytes(b"# \xe4")

    for name, why in (
        ("missing.toml", "No such file"),
        (".", "directory"),
        ("latin.toml", "UTF-8"),
    ):
        with pytest.raises(ConfigError, match=f"^file {name}: .*{why}"):
            load(Path(name))


def test_without_a_file_the_error_says_how_to_get_one() -> None:
    with pytest.raises(ConfigError) as caught:
        load()

    first, last = str(caught.value).splitlines()
    assert first == "routes: must be set"
    assert "sink config init -o sink.toml" in last


def test_json_of_the_environment_that_does_not_parse_is_reported_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SINK__ROUTES", "[{]")

    (line,) = refusal(ROUTE)
    assert line.startswith(
        "environment SINK__ROUTES: routes: is a list or a table and must be JSON"
    )


@pytest.mark.parametrize(
    ("section", "key", "instead"),
    [("kafka", *item) for item in kafka.OWNED.items()]
    + [("elasticsearch", *item) for item in elasticsearch.OWNED.items()],
)
def test_a_key_the_sink_owns_is_refused_in_a_pass_through_table(
    section: str, key: str, instead: str
) -> None:
    key = key.replace("*", "error")

    (line,) = refusal(f"[{section}]\nclient = {{ '{key}' = 'x' }}\n{ROUTE}")

    assert line == f"file sink.toml: {section}.client: {key} belongs to the sink: {instead}"


def test_the_settings_named_instead_of_an_owned_key_exist() -> None:
    """A hint that leads to an unknown setting would be worse than none."""
    known = {setting.key for setting in settings()}
    hints = " ".join([*kafka.OWNED.values(), *elasticsearch.OWNED.values()])
    named = {word.strip(",") for word in hints.split() if "." in word}

    assert named <= known


@pytest.mark.parametrize(
    "pattern", [r"a-\d+", "(?:a|b)", "(?i)a", "[[:alpha:]]+", "a+?", "a{1,99999}", r"\bword"]
)
def test_a_pattern_that_librdkafka_reads_otherwise_is_refused(pattern: str) -> None:
    """Checked with Python, it would match topics that are never subscribed to."""
    (line,) = refusal(f"[[routes]]\nname = 'a'\npattern = '{pattern}'\n")

    assert "POSIX" in line


@pytest.mark.parametrize("pattern", ["app-.*-log", "a[.]b", "(a|b)-[0-9]+", r"a\.b", "x{2}"])
def test_a_pattern_that_both_read_alike_is_taken(pattern: str) -> None:
    Path("sink.toml").write_text(f"[[routes]]\nname = 'a'\npattern = '{pattern}'\n")

    assert load(Path("sink.toml")).routes[0].pattern == pattern


def test_a_prefix_that_no_topic_can_have_is_refused() -> None:
    (line,) = refusal("[[routes]]\nname = 'a'\nprefix = 'e.k+k('\n")

    assert "names of topics" in line


@pytest.mark.parametrize("secret", ["user:p\u00fcss", "user:line\\nline"])
def test_a_secret_that_fits_no_header_is_refused_without_showing_it(secret: str) -> None:
    (line,) = refusal(f'[elasticsearch]\nbasic_auth = "{secret}"\n{ROUTE}')

    assert "printable ASCII" in line
    assert "ss" not in line.rpartition(":")[2].replace("ASCII", "") and "u00fc" not in line
