"""
The process that fuzzes one target: `python -m fuzz.process TARGET <options of libFuzzer>`.
"""

import shlex
import sys

import atheris

from fuzz.targets import target


def main(arguments: list[str]) -> None:
    """
    Fuzz until libFuzzer ends the process.

    Only the sink is instrumented: the fuzzer looks for new ways through it, not through its judges.
    """
    name, *options = arguments
    with atheris.instrument_imports(include=["sink"]):
        one, mutate = target(name)
    given = {}
    if mutate is not None:

        def custom_mutator(data: bytes, size_max: int, seed: int) -> bytes:
            return mutate(data, size_max, seed, atheris.Mutate)

        given["custom_mutator"] = custom_mutator
    # A merge starts this process again, by a shell and its first argument.
    program = shlex.join([sys.executable, "-m", "fuzz.process", name])
    atheris.Setup([program, *options], one, **given)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
