"""
The Dockerfile without Docker: what its image would be, and what its steps do in a temporary folder.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread

import pytest

from engines.ports import free_ports
from sink.config import StatusSettings
from tests.docs.container_files import DOCKERFILE, ROOT, Instruction, environment, only, stages

BUILD, FINAL = stages()
_TIMEOUT_S = 100
_BUILD_TOOLS = ["pip", "install", "--require-hashes", "-r", "requirements/dev.txt"]


def copied(instruction: Instruction) -> tuple[list[str], str]:
    *sources, target = instruction.text.split()
    return sources, target


def run(command: list[str], folder: Path, **variables: str) -> str:
    # Not the path of the checkout: what is asked for is to be found without it.
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=given | variables,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(root: Path) -> Path:
    """
    Do the steps of the first stage below a folder instead of in an image.

    The step that brings the build backend is left out: the tests' own environment is made by it.

    Returns:
        The programs of the environment that the second stage copies.
    """
    tools = {"pip": [sys.executable, "-m", "pip"], "python": [sys.executable]}
    workdir = root / only(BUILD, "WORKDIR").text.strip("/")
    workdir.mkdir()
    for step in BUILD:
        if step.name == "COPY":
            sources, target = copied(step)
            (workdir / target).mkdir(exist_ok=True)
            for source in sources:
                copy(ROOT / source, workdir / target)
        elif step.name == "RUN" and step.words() != _BUILD_TOOLS:
            program, *arguments = step.words()
            below = [f"{root}{one}" if one.startswith("/") else one for one in arguments]
            run([*tools[program], *below], workdir)
    return root / "opt" / "sink" / "bin"


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=ignore)
    else:
        shutil.copy(source, target)


def test_its_steps_give_a_working_sink_outside_the_checkout(tmp_path: Path) -> None:
    programs = build(tmp_path)
    python, sink = str(programs / "python"), str(programs / "sink")
    config = ROOT / "deploy" / "compose" / "sink.toml"

    code = "from sink import templates; print(*{one.kind for one in templates.load(None)})"
    assert run([python, "-c", code], tmp_path).split()
    code = "import sink; print(sink.__file__)"
    assert run([python, "-c", code], tmp_path).startswith(f"{tmp_path}/opt/sink/")
    assert run([sink, "--version"], tmp_path).split()[-1] == version("ekk-sink")
    shown = run([sink, "config", "show", "-c", str(config)], tmp_path, **environment("sink"))
    assert "kafka:19092" in shown


def test_the_build_backend_of_this_test_is_that_of_the_first_stage() -> None:
    assert _BUILD_TOOLS in [step.words() for step in BUILD if step.name == "RUN"]
    pinned = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    assert f"\nhatchling=={version('hatchling')} " in pinned


def test_every_file_it_copies_is_there_and_is_let_through_and_no_other() -> None:
    sources = [name for step in BUILD if step.name == "COPY" for name in copied(step)[0]]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in ignored if not line.startswith("#")]

    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert patterns[0] == "*"
    assert sorted(line[1:] for line in patterns if line.startswith("!")) == sorted(sources)


def test_every_stage_begins_with_the_same_pinned_python() -> None:
    """The second stage's environment is links to the Python of the first."""
    images = {stage[0].text.split()[0] for stage in stages()}

    (image,) = images
    assert re.fullmatch(r"python:3\.\d+-slim", image)


def test_the_image_runs_the_sink_as_a_numbered_user_that_is_not_root() -> None:
    user = only(FINAL, "USER").text

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert only(FINAL, "ENTRYPOINT").words() == ["sink"]
    assert only(FINAL, "CMD").words()[:2] == ["run", "-c"]


def test_nothing_in_it_names_a_registry_or_needs_a_shell() -> None:
    text = DOCKERFILE.read_text("utf-8")

    assert set(re.findall(r"\w+://[^/' ]+", text)) == {"http://127.0.0.1:9117"}
    assert not re.search(r"index-url|trusted-host", text)
    assert all(step.words() for stage in stages() for step in stage if step.name == "RUN")


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    """
    A server that answers 200 to whatever it is asked.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_the_health_check_asks_the_status_port_and_no_proxy(answering: HTTPServer) -> None:
    _, *arguments = only(FINAL, "HEALTHCHECK").words()
    ours = f"127.0.0.1:{StatusSettings().port}"
    there = f"127.0.0.1:{answering.server_port}"
    proxy = {"http_proxy": f"http://{there}"}

    def exit_code(address: str, **variables: str) -> int:
        command = [sys.executable, *(one.replace(ours, address) for one in arguments)]
        given = os.environ | variables
        done = subprocess.run(command, check=False, env=given, capture_output=True, timeout=30)
        return done.returncode

    assert exit_code(there) == 0
    assert exit_code(f"127.0.0.1:{free_ports(1)[0]}", **proxy) == 1
