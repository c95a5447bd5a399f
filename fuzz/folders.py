"""
Where the inputs of a target are.
"""

from pathlib import Path

_HERE = Path(__file__).parent
RUN = Path(".run") / "fuzz"


def corpus(name: str) -> Path:
    """
    Give the committed inputs.
    """
    return _HERE / "corpus" / name


def inputs(name: str) -> list[Path]:
    """
    List the committed inputs.
    """
    return sorted(path for path in corpus(name).iterdir() if path.is_file())


def dictionary(name: str) -> Path:
    """
    Give the words that libFuzzer puts into inputs.
    """
    return _HERE / "dictionaries" / f"{name}.dict"


def found(name: str) -> Path:
    """
    Give the inputs of this machine that found something new. They stay from run to run.
    """
    return RUN / name / "found"


def crashes(name: str) -> Path:
    """
    Give the inputs that broke something.
    """
    return RUN / name / "crashes"
