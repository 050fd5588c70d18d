"""Access control of the viewer: the Host header, the token, the origin of posted forms, and security headers."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "tracejury_token"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`, under which browsers hide the origin of our own forms too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address reaches this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Middleware around the whole application.

    Args:
        app: The application to guard.
        host: The host that the server listens on. Beyond loopback a token is required.
        token: Compared in constant time; the first page takes it from `?token=`, the rest from a cookie.
        allowed: Further host names that the viewer answers under.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None, allowed: frozenset[str] = frozenset()) -> None:
        if token is None and not is_loopback(host):
            raise ValueError(f"the viewer shows clinical text: listening on {host} needs a token")
        self.app = app
        self.token = token
        self.hosts = LOOPBACK | allowed | {host.strip("[]")}
        # On all interfaces people use an address, which no DNS rebinding can forge, or the machine's own name.
        self.any_address = token is not None and host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
        if self.any_address:
            self.hosts |= {socket.gethostname(), socket.getfqdn()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on to the application."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        head = scope["method"] == "HEAD"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        refused = self._refused(scope)
        if head:
            # The application knows GET; the answer to HEAD is the same without its body.
            scope = {**scope, "method": "GET"}
        await (refused or self.app)(scope, receive, with_headers)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if not self._known_host(headers.get("host", "")):
            return PlainTextResponse(
                "The viewer does not answer under this host name. Add it with --allow-host NAME.\n", status_code=421
            )
        if scope["method"] not in ("GET", "HEAD") and not _own_origin(headers):
            return PlainTextResponse("Only forms of the viewer itself may write reviews.\n", status_code=403)
        if self.token is None:
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if self._right(query.pop("token", "")):
            rest = "?" + urlencode(query) if query else ""
            reply = RedirectResponse(scope["path"] + rest, status_code=303)
            reply.set_cookie(COOKIE, self.token, httponly=True, samesite="strict")
            return reply
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self._right(cookie.value if cookie else "") or self._right(bearer):
            return None
        return PlainTextResponse(
            "Open the whole address that `tracejury view` printed, with its token.\n", status_code=401
        )

    def _right(self, candidate: str) -> bool:
        return self.token is not None and secrets.compare_digest(candidate.encode(), self.token.encode())

    def _known_host(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            # "[::1" and "[" are no host names.
            return False
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address


def _own_origin(headers: Headers) -> bool:
    """Tell whether a write comes from our own page; programs other than browsers send neither header."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
