"""
Answers of real Elasticsearches, kept in tests/fixtures/answers: one file a case, by version.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sink.core.outcome import Reply

_FOLDER = Path(__file__).parent / "fixtures" / "answers"
_TEXT_CHARACTERS = 600  # of a reason; a document of 40 KB is quoted twice


@dataclass(frozen=True)
class Recorded:
    """
    One answer to one document.

    Args:
        case: What was asked, the name of the file.
        version: Of the server that answered.
    """

    case: str
    version: str
    reply: Reply

    def __str__(self) -> str:
        return f"{self.case}-{self.version}"


@dataclass(frozen=True)
class Told:
    """
    What a verdict may rest on: the request's status and error.type, then the item's.
    """

    status: int
    error_type: str
    item_status: int | None = None
    item_type: str | None = None
    caused_by: str | None = None
    failure_store: str | None = None


def told(reply: Reply) -> Told:
    """
    Read an answer to one document.
    """
    if not reply.body:
        return Told(reply.status, reply.error_type)
    ((result,),) = (item.values() for item in json.loads(reply.body)["items"])
    error = result.get("error", {})
    return Told(
        reply.status,
        reply.error_type,
        result["status"],
        error.get("type"),
        error.get("caused_by", {}).get("type"),
        result.get("failure_store"),
    )


def load() -> list[Recorded]:
    """
    Read all that is recorded.
    """
    return [
        Recorded(path.stem, version, _reply(kept))
        for path in sorted(_FOLDER.glob("*.json"))
        for version, kept in json.loads(path.read_text()).items()
    ]


def of_major(case: str, version: str) -> Recorded:
    """
    Find what a version of the same major answered in a case.
    """
    for recorded in load():
        if recorded.case == case and _major(recorded.version) == _major(version):
            return recorded
    raise LookupError(
        f"no answer of Elasticsearch {_major(version)} is kept for {case}: record it with "
        f"ES_VERSION={version} python -m tests.engines.answers"
    )


def keep(recorded: Recorded) -> None:
    """
    Write an answer in the place of the one that the same major gave before.
    """
    path = _FOLDER / f"{recorded.case}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    others = {v: answer for v, answer in kept.items() if _major(v) != _major(recorded.version)}
    whole = others | {recorded.version: _kept(recorded.reply)}
    path.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n")


def _major(version: str) -> str:
    return version.partition(".")[0]


def _kept(reply: Reply) -> dict[str, Any]:
    answer = {"answer": json.loads(reply.body)} if reply.body else {}
    given = {"error_type": reply.error_type, "reason": reply.reason, "status": reply.status}
    shortened: dict[str, Any] = _shortened(given | answer)
    return shortened


def _reply(kept: dict[str, Any]) -> Reply:
    reply = Reply(kept["status"], error_type=kept["error_type"], reason=kept["reason"])
    if "answer" not in kept:
        return reply
    # Without spaces, as Elasticsearch writes; and escaped, as it writes half a surrogate pair.
    return replace(reply, body=json.dumps(kept["answer"], separators=(",", ":")).encode())


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    return value[:_TEXT_CHARACTERS] if isinstance(value, str) else value
