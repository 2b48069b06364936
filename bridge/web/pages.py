"""The page and its parts, as they lie in ``static``: small, the same for everybody, no secrets.

They are read once. A browser keeps them and asks each time whether they are still the same.
"""

import mimetypes
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["POLICY", "Pages"]

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""Nothing from outside, nothing written into the page, and the page within no other."""

_PAGE = "page.html"

_TYPES = {".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
"""Types that the machine's own table may know otherwise."""


class Pages:
    """Answers with a file of ``static``, or with the page."""

    def __init__(self) -> None:
        folder = files("bridge.web") / "static"
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
        self._tags = {
            name: f'"{sha256(data).hexdigest()[:16]}"' for name, data in self._files.items()
        }

    async def page(self, request: Request) -> Response:
        """The page, which reads from its own address what it is to show."""
        return self._file(request, _PAGE)

    async def static(self, request: Request) -> Response:
        """One of its parts."""
        return self._file(request, request.path_params["name"])

    def _file(self, request: Request, name: str) -> Response:
        data = self._files.get(name)
        if data is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        headers = {"ETag": self._tags[name], "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == self._tags[name]:
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=_type(name))


def _type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return next((each for end, each in _TYPES.items() if name.endswith(end)), guessed)
