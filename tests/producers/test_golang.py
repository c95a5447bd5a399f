"""
Where the Go comes from that builds examples/go.
"""

import os
from pathlib import Path

import pytest

from engines.errors import EngineError
from engines.golang import find_go

# A go command of Debian 12's age: it can download the module of a toolchain, but not become it.
_OLD_GO = """#!/bin/sh
case "$1 $2" in
"version ") echo "go version go1.19.8 linux/amd64" ;;
"env GOOS") echo linux ;;
"env GOARCH") echo amd64 ;;
"env GOMODCACHE") echo "$TEST_MODULES" ;;
"mod download")
  mkdir -p "$TEST_MODULES/$4/bin" "$TEST_MODULES/$4/pkg/tool/linux_amd64"
  touch "$TEST_MODULES/$4/bin/go" "$TEST_MODULES/$4/pkg/tool/linux_amd64/compile" ;;
*) exit 1 ;;
esac
"""


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder before all others on PATH, and a cache of the test's own.
    """
    monkeypatch.setenv("PATH", f"{tmp_path}/tools:/usr/bin:/bin")
    monkeypatch.setenv("ENGINES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_MODULES", str(tmp_path / "modules"))
    return tmp_path / "tools"


def test_a_go_that_fetches_its_toolchains_is_taken_as_it_is(tools: Path) -> None:
    write_program(tools / "go", "#!/bin/sh\necho go version go1.21.0 linux/amd64\n")

    assert find_go() == tools


def test_an_older_go_fetches_a_toolchain_whose_programs_can_be_run(tools: Path) -> None:
    write_program(tools / "go", _OLD_GO)

    folder = find_go()

    assert folder.parent.parent == tools.parent / "cache"
    assert os.access(folder / "go", os.X_OK)
    assert os.access(folder.parent / "pkg" / "tool" / "linux_amd64" / "compile", os.X_OK)


def test_a_missing_go_is_said_with_what_to_install(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.golang.shutil.which", lambda *_, **__: None)

    with pytest.raises(EngineError, match="golang-go"):
        find_go()
