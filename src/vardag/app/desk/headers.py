"""What every answer of the desk says to the browser: run no script but our own, ask nobody else, keep nothing."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex",
}
ONE_YEAR = "max-age=31536000"


class Headers:
    """Adds the headers to every answer, whatever made it."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app, self.https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""

        async def sending(told: Message) -> None:
            if told["type"] == "http.response.start":
                found = MutableHeaders(scope=told)
                for name, value in ALWAYS.items():
                    found.setdefault(name, value)
                static = scope["path"].startswith("/static/")
                found.setdefault("Cache-Control", "no-cache" if static else "no-store")
                if self.https:
                    found.setdefault("Strict-Transport-Security", ONE_YEAR)
            await send(told)

        await self.app(scope, receive, sending)
