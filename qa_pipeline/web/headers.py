"""What every answer carries and what no request may bring: headers, limits, the time taken."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 1_000_000  # bytes; the largest thing sent in is a rule file
_LOCAL = re.compile(r"^(localhost|127\.0\.0\.1|\[::1\]|testserver)(:\d+)?$")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Guarded:
    """ASGI middleware: strict headers, no oversized body, no foreign host name when only this machine is served."""

    def __init__(self, app: ASGIApp, *, only_local: bool = True) -> None:
        self._app = app
        self._only_local = only_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        https = scope.get("scheme") == "https"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with(message["headers"], nonce, https, time.perf_counter() - began)
            await send(message)

        if self._only_local and not _LOCAL.match(headers.get(b"host", b"").decode("latin-1")):
            await _refuse(answer, 421, "这台服务器只接受本机访问。要让别人访问，请用 qa serve --host 或放在反向代理之后。")
            return
        if _too_long(headers):
            await _refuse(answer, 413, "提交的内容太大（上限 1 MB）。")
            return
        await self._app(scope, _bounded(receive), answer)


def _too_long(headers: dict[bytes, bytes]) -> bool:
    length = headers.get(b"content-length", b"0")
    return not length.isdigit() or int(length) > MOST_BODY


def _bounded(receive: Receive) -> Receive:
    """Ends a body that grows beyond the limit without having said so."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > MOST_BODY:
                return {"type": "http.disconnect"}
        return message

    return limited


def _with(headers: Any, nonce: str, https: bool, seconds: float) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    ours = {
        "content-security-policy": _POLICY.format(nonce=nonce),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "x-frame-options": "DENY",
        "server-timing": f"app;dur={1000 * seconds:.1f}",
        "cache-control": "no-store",
    }
    if https:
        ours["strict-transport-security"] = "max-age=31536000"
    return [*headers, *((name.encode(), value.encode()) for name, value in ours.items() if name.encode() not in present)]


async def _refuse(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
