"""The HTTP interface as an OpenAPI 3.1 document: every path, what it takes, and what it answers.

Made of the schemas that the topics' descriptions are made of: a view is a room's `status` with
what a page needs besides, and the answer to an action is its result. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..mqtt import payloads
from ..mqtt.catalogue import ROWS
from ..mqtt.topic_values import INSTANT, Schema, nullable, record
from ..room.facts.requests import ACTIONS, EVENTS, METADATA, parameters_of
from ..room.rules.possible import BUTTONS
from .plain import plain, sentence

__all__ = ["openapi_document"]

_DESCRIPTION = """\
Rooms are shown and operated over HTTP, with or without the broker. An action is answered with its \
result, which is published as well. An `id` names a request: sent again with it, it is not carried \
out again. Whoever asks shows a cookie of `POST /session`, or a secret as a bearer token; a bridge \
without any secret asks for none."""

_TEXT: Schema = {"type": "string"}

_ACTION_STATUS = {
    "200": "it is done, or was so already",
    "202": "it is under way for longer than a minute; send it again with its id to hear more",
    "409": "it is not possible now; the error says why",
    "422": "it was not understood",
    "429": "too many wait for this room",
    "503": "HMP was not reached in time, or what became of it is unknown",
}

_REFUSALS = {
    "401": "whoever asks has not said who they are",
    "403": "whoever asks may not do this",
    "404": "there is no such room",
    "421": "the bridge goes by another name: web.hosts",
}


def openapi_document(version: str, rooms: Sequence[str]) -> dict[str, Any]:
    """The whole document, as JSON has it; `rooms` are those that its reader may know of."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hmp-bridge",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _paths(rooms),
        "components": {
            "schemas": {
                "View": _view(),
                "Result": plain(payloads.result()),
                "Problem": plain(record({"error": payloads.error()})),
            },
            "securitySchemes": {"secret": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"secret": []}, {}],
    }


def _paths(rooms: Sequence[str]) -> dict[str, Any]:
    known = {"enum": list(rooms)} if rooms else {}
    room = _parameter("room", "A room.", {"type": "string"} | known)
    views = record({"rooms": {"type": "object", "additionalProperties": _ref("View")}})
    secret = record({"secret": {"type": "string"}})
    return {
        "/": {"get": _page("The list of rooms, for people.")},
        "/{room}": {"parameters": [room], "get": _page("A room's page, for people.")},
        "/static/{name}": {
            "parameters": [_parameter("name", "A file of the page.", _TEXT)],
            "get": _operation("A part of the page.", {"200": _answer("The file.")}),
        },
        "/session": {
            "post": _operation(
                "Exchange a secret for a cookie.",
                {
                    "204": _answer("The cookie is set."),
                    "401": _problem("the secret is wrong"),
                    "422": _problem("it was not understood"),
                    "429": _problem("too many secrets were wrong"),
                },
                body=secret,
            ),
            "delete": _operation("Take the cookie away.", {"204": _answer("It is gone.")}),
        },
        "/events": {"get": _events("Views and results of all rooms, as they come.")},
        "/rooms": {
            "get": _operation(
                "Every room that may be looked at.",
                {"200": _json("The rooms by their keys.", views), **_refusals("401", "421")},
            )
        },
        "/rooms/{room}": {
            "parameters": [room],
            "get": _operation(
                "A room; to a browser its page.",
                {"200": _json("The room.", _ref("View")), **_refusals(*_REFUSALS)},
            ),
        },
        "/rooms/{room}/events": {
            "parameters": [room],
            "get": _events("Views and results of a room, as they come."),
        },
        "/rooms/{room}/event": {
            "parameters": [room],
            "post": _request(
                "Tell a room what a booking system has to say.",
                payloads.event(list(EVENTS)),
                needed=True,
            ),
        },
        "/rooms/{room}/metadata/{field}": {
            "parameters": [
                room,
                _parameter("field", "What is said of it.", {"enum": list(METADATA.values())}),
            ],
            "post": _request("Say something of a room's recording.", _metadata(), needed=True),
        },
        "/rooms/{room}/{action}": {
            "parameters": [room, _parameter("action", "An action.", {"enum": list(ACTIONS)})],
            "post": _request("Ask something of a room.", _any_action(), needed=False),
        },
        "/openapi.json": {"get": _operation("This document.", {"200": _answer("It.")})},
        "/metrics": {
            "get": _operation(
                "Measures for Prometheus.", {"200": _answer("They."), **_refusals("401", "403")}
            )
        },
        "/health/live": {"get": _health("The process lives.")},
        "/health/ready": {"get": _health("The broker and every HMP are reached.")},
    }


def _view() -> dict[str, Any]:
    status = next(row for row in ROWS if row.path == "room/{room}/status").values.schema
    besides: dict[str, Schema] = {
        "name": {**_TEXT, "description": "The room's name for people."},
        "actions": record({str(action): {"type": "boolean"} for action in BUTTONS}),
        "stale_since": {
            **nullable(INSTANT),
            "description": "HMP has been away since then; null where it is there, and where the "
            "bridge started without it.",
        },
        "bridge": record({"broker": {"type": "boolean", "description": "It is reached."}}),
        "role": {"enum": ["look", "operate"]},
    }
    view = dict(status)
    view["properties"] = {**status["properties"], **besides}
    view["required"] = [*status["required"], *besides]
    whole: dict[str, Any] = plain(view)
    return whole


def _any_action() -> Schema:
    """The parameters that actions take, and `id`; which one takes which is said by its topic."""
    takes = {name for action in ACTIONS.values() for name in parameters_of(action)}
    members: dict[str, Schema] = {"id": payloads.request_id()}
    for word, action in ACTIONS.items():
        properties = payloads.action(word, parameters_of(action))["properties"]
        members |= {name: properties[name] for name in sorted(takes) if name in properties}
    return record(members, optional=members)


def _metadata() -> Schema:
    """What is published as text alone; an empty one takes away what was said."""
    text = {**_TEXT, "description": "What HMP is to show; an empty text as on the topic."}
    return record({"text": text, "id": payloads.request_id()}, optional=["id"])


def _request(summary: str, body: Schema, *, needed: bool) -> dict[str, Any]:
    answers = {
        status: _json(sentence(why), _ref("Result")) for status, why in _ACTION_STATUS.items()
    }
    refusals = _refusals(*_REFUSALS)
    return _operation(summary, {**answers, **refusals}, body=body, needed=needed)


def _events(summary: str) -> dict[str, Any]:
    stream = {"description": _EVENTS, "content": {"text/event-stream": {"schema": _TEXT}}}
    operation = _operation(summary, {"200": plain(stream), **_refusals(*_REFUSALS)})
    operation["parameters"] = [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The id that came last; what has changed since is told first.",
            "schema": dict(_TEXT),
        }
    ]
    return operation


_EVENTS = (
    "`room` with a room's view (null: the room is gone), `result` with the result of a request, "
    "and each second without any of these `beat` with the bridge's time."
)


def _page(summary: str) -> dict[str, Any]:
    page = {"description": "The page.", "content": {"text/html": {"schema": dict(_TEXT)}}}
    return _operation(summary, {"200": page})


def _health(summary: str) -> dict[str, Any]:
    said = {"type": "object"}
    return _operation(summary, {"200": _json("Yes.", said), "503": _json("No.", said)})


def _operation(
    summary: str, answers: Mapping[str, Any], *, body: Schema | None = None, needed: bool = True
) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": dict(answers)}
    if body is not None:
        content = {"application/json": {"schema": plain(body)}}
        operation["requestBody"] = {"required": needed, "content": content}
    return operation


def _refusals(*statuses: str) -> dict[str, Any]:
    return {status: _problem(_REFUSALS[status]) for status in statuses}


def _problem(why: str) -> dict[str, Any]:
    return _json(sentence(why), _ref("Problem"))


def _json(description: str, schema: Schema) -> dict[str, Any]:
    content = {"application/json": {"schema": plain(schema)}}
    return {"description": description, "content": content}


def _answer(description: str) -> dict[str, Any]:
    return {"description": description}


def _parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": plain(schema),
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
