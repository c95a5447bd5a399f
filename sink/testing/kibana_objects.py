"""
What the fake Kibana holds: data views and other saved objects, with the checks of Kibana's API.

Written from Kibana's published API description; answers are what it documents, or what Kibana's own
source gives where the description is silent. No Kibana was there to compare with.
"""

import json
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """
    Kibana does not carry a request out.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        error = HTTPStatus(status).phrase
        self.body: Json = {"statusCode": status, "error": error, "message": message}


# Fields of a data view at its creation, with the types of their JSON.
_SPEC: Mapping[str, type] = {
    "title": str,
    "name": str,
    "id": str,
    "version": str,
    "type": str,
    "timeFieldName": str,
    "allowNoIndex": bool,
    "allowHidden": bool,
    "namespaces": list,
    "sourceFilters": list,
    "fields": dict,
    "fieldFormats": dict,
    "fieldAttrs": dict,
    "runtimeFieldMap": dict,
    "typeMeta": dict,
}
_BODY: Mapping[str, type] = {
    "data_view": dict,
    "override": bool,
    "refresh_fields": bool,
}
_IMPORTABLE = frozenset({"dashboard", "index-pattern", "lens", "search", "visualization", "tag"})
_FLAGS = frozenset({"overwrite", "createNewCopies", "compatibilityMode"})


class Objects:
    """
    The saved objects of all spaces. Its owner holds a lock around each call.

    Each method that answers a request raises `Refusal` where Kibana would refuse it.
    """

    def __init__(self) -> None:
        # space → type and id → the object as it was given
        self.spaces: dict[str, dict[tuple[str, str], Json]] = {}

    def of(self, space: str, kind: str) -> dict[str, Json]:
        """
        Give the objects of a type in a space, by id.
        """
        held = self.spaces.get(space, {})
        return {id_: body for (its, id_), body in held.items() if its == kind}

    def list_data_views(self, space: str) -> Json:
        """
        Answer `GET /api/data_views`.
        """
        listed = [
            {"id": id_, "namespaces": [space], "typeMeta": {}}
            | {"title": spec["title"], "name": spec["name"]}
            for id_, spec in self.of(space, "index-pattern").items()
        ]
        return {"data_view": listed}

    def get_data_view(self, space: str, id_: str) -> Json:
        """
        Answer `GET /api/data_views/data_view/{id}`.
        """
        spec = self.of(space, "index-pattern").get(id_)
        if spec is None:
            raise Refusal(404, f"Saved object [index-pattern/{id_}] not found")
        return {"data_view": spec}

    def create_data_view(self, space: str, raw: bytes) -> Json:
        """
        Answer `POST /api/data_views/data_view`.
        """
        try:
            body = json.loads(raw)
        except ValueError as failure:
            raise Refusal(400, "Invalid request payload JSON format") from failure
        if not isinstance(body, dict):
            raise Refusal(400, "[request body]: expected a plain object value")
        _check(body, _BODY, ("data_view",), "request body")
        _check(body["data_view"], _SPEC, ("title",), "request body.data_view")
        return self._create(space, body["data_view"], override=body.get("override", False))

    def import_objects(
        self, space: str, query: Mapping[str, Sequence[str]], content_type: str, raw: bytes
    ) -> Json:
        """
        Answer `POST /api/saved_objects/_import`.
        """
        flags = _flags(query)
        objects = _objects_of(content_type, raw)
        failed = [e for each in objects if (e := self._error(space, each, flags["overwrite"]))]
        created = [] if failed else objects  # all or none, where an error can be resolved
        for each in created:
            self._put(space, each["type"], each["id"], each)
        results = [{"type": each["type"], "id": each["id"]} for each in created]
        told: Json = {"success": not failed, "successCount": len(created), "warnings": []}
        return told | ({"errors": failed} if failed else {"successResults": results})

    def _create(self, space: str, spec: Json, *, override: bool) -> Json:
        spec = {"name": spec["title"], **spec}
        views = self.of(space, "index-pattern")
        for id_, other in list(views.items()):
            if spec["name"] == other["name"] or spec["title"] == other["title"]:
                if not override:
                    raise Refusal(400, f"Duplicate data view: {spec['name']}")
                del self.spaces[space]["index-pattern", id_]
        id_ = spec.get("id") or f"generated-{sum(map(len, self.spaces.values()))}"
        if not override and any(("index-pattern", id_) in held for held in self.spaces.values()):
            raise Refusal(400, f"Saved object [index-pattern/{id_}] conflict")
        whole: Json = {"version": "WzEsMV0=", "fields": {}, "typeMeta": {}, "fieldFormats": {}}
        whole |= {"runtimeFieldMap": {}, "fieldAttrs": {}, "sourceFilters": []}
        whole |= {"allowNoIndex": False, "namespaces": [space], **spec, "id": id_}
        self._put(space, "index-pattern", id_, whole)
        return {"data_view": whole}

    def _put(self, space: str, kind: str, id_: str, body: Json) -> None:
        self.spaces.setdefault(space, {})[kind, id_] = body

    def _error(self, space: str, each: Json, overwrite: bool) -> Json | None:
        """
        Say why an object is not imported, as an entry of `errors`.
        """
        kind, id_, held = each["type"], each["id"], self.spaces.get(space, {})
        missing = [
            {"type": reference["type"], "id": reference["id"]}
            for reference in each.get("references", ())
            if (reference["type"], reference["id"]) not in held
        ]
        error: Json | None = None
        if kind not in _IMPORTABLE:
            error = {"type": "unsupported_type"}
        elif missing:
            error = {"type": "missing_references", "references": missing}
        elif (kind, id_) in held and not overwrite:
            error = {"type": "conflict"}
        title = each["attributes"].get("title", "")
        return error and {"id": id_, "type": kind, "meta": {"title": title}, "error": error}


def _check(
    body: Mapping[str, Any],
    known: Mapping[str, type],
    required: Sequence[str],
    where: str,
) -> None:
    """
    Check an object as Kibana's schemas do.
    """
    for name in required:
        if name not in body:
            expected = "string" if known[name] is str else "object"
            got = f"expected value of type [{expected}] but got [undefined]"
            raise Refusal(400, f"[{where}.{name}]: {got}")
    for name, value in body.items():
        if name not in known:
            raise Refusal(400, f"[{where}.{name}]: definition for this key is missing")
        if not isinstance(value, known[name]):
            raise Refusal(400, f"[{where}.{name}]: expected value of another type")


def _flags(query: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    flags = dict.fromkeys(_FLAGS, False)
    for name, values in query.items():
        if name not in _FLAGS:
            raise Refusal(400, f"[request query.{name}]: definition for this key is missing")
        if values[-1] not in ("true", "false"):
            raise Refusal(400, f"[request query.{name}]: expected value of type [boolean]")
        flags[name] = values[-1] == "true"
    if flags["overwrite"] and flags["createNewCopies"]:
        raise Refusal(400, "[request query]: cannot use [overwrite] with [createNewCopies]")
    return flags


def _objects_of(content_type: str, raw: bytes) -> list[Json]:
    """
    Read the objects of an import: the lines of the form's field `file`.
    """
    file = _file_of(content_type, raw)
    extension = PurePath(file.get_filename() or "").suffix.lower()
    if extension != ".ndjson":
        raise Refusal(400, f"Invalid file extension {extension}")
    text = file.get_payload(decode=True)
    assert isinstance(text, bytes), "a part with parts in it"
    try:
        objects = [json.loads(line) for line in text.split(b"\n") if line.strip()]
    except ValueError as failure:
        raise Refusal(400, str(failure)) from failure
    if not all(map(_is_object, objects)):
        raise Refusal(400, "Invalid saved object: it has no id, type and attributes")
    return objects


def _file_of(content_type: str, raw: bytes) -> Message:
    form = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode(), raw))
    parts = form.get_payload()
    if form.defects or not isinstance(parts, list):
        raise Refusal(400, "Invalid multipart payload format")
    named = {
        part.get_param("name", header="content-disposition"): part
        for part in parts
        if isinstance(part, Message)
    }
    file = named.pop("file", None)
    if file is None:
        raise Refusal(400, "[request body.file]: expected value of type [Stream]")
    for name in named:
        raise Refusal(400, f"[request body.{name}]: definition for this key is missing")
    return file


def _is_object(each: object) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("id"), str)
        and isinstance(each.get("type"), str)
        and isinstance(each.get("attributes"), dict)
    )
