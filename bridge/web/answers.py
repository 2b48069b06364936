"""Answers in JSON, and the status codes of what became of a request. Pure."""

from starlette.responses import Response

from ..mqtt.topics import render_problem, render_result
from ..room.facts.problems import TOO_MANY
from ..room.facts.values import Problem, Result
from ..room.facts.vocabulary import Outcome

__all__ = ["MALFORMED", "json_answer", "refusal", "result_answer", "status_of"]

_BY_OUTCOME = {
    Outcome.OK: 200,
    Outcome.IGNORED: 200,
    Outcome.FAILED: 409,
    Outcome.EXPIRED: 503,
    Outcome.UNKNOWN: 503,
}

MALFORMED = frozenset({"malformed", "unknown_action", "unknown_event", "id_used_before"})
"""Codes of requests that were not understood."""

_BY_CODE = dict.fromkeys(MALFORMED, 422) | {TOO_MANY.code: 429}
_BY_CODE |= {"not_known_yet": 503, "leaving": 503, "internal_error": 500}


def status_of(result: Result) -> int:
    """200 for what was done or is so already; otherwise why it was not."""
    code = "" if result.problem is None or result.outcome is Outcome.OK else result.problem.code
    return _BY_CODE.get(code, _BY_OUTCOME[result.outcome])


def result_answer(result: Result) -> Response:
    """The result of a request, as it is published too."""
    return json_answer(render_result(result), status_of(result))


def json_answer(text: str | bytes, status: int = 200, **headers: str) -> Response:
    """JSON that no cache keeps."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Cache-Control": "no-store"}
    return Response(text, status, named, media_type="application/json")


def refusal(status: int, problem: Problem, **headers: str) -> Response:
    """Why a request got no further than the door."""
    return json_answer(render_problem(problem), status, **headers)
