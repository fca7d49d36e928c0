"""What stands round the page: its head, its security headers, its address. Knows Starlette."""

import json
import socket
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.types import FootnoteError
from ui.strings import STRINGS

ROOM = Path(__file__).parent
STYLES = ("style.css", "dialogs.css")
DEFAULT_PORT = 7860
PORTS_TRIED = 20
LOCAL = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound by default.
SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; frame-src 'none'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
# Runs before the page is drawn, so that a dark page never flashes white. The cookie says whose
# conversations to list; it goes to no other site, and nothing else is known of anybody.
EARLY_SCRIPT = """
window.footnoteStrings = %s;
{
  const chosen = localStorage.getItem('footnote-theme') || 'system';
  const system = matchMedia('(prefers-color-scheme: dark)').matches;
  const dark = chosen === 'system' ? system : chosen === 'dark';
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.documentElement.lang = 'en';
  if (!/(^|; )footnote=[0-9a-f]{32}(;|$)/.test(document.cookie)) {
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    const id = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    document.cookie = `footnote=${id}; Path=/; SameSite=Strict; Max-Age=34560000`;
  }
}
"""
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='9' fill='%230b6158'/%3E%3Cpath d='M9 24V9h9M9 16h7' "
    "stroke='white' stroke-width='3' fill='none'/%3E%3Ccircle cx='23' cy='9' r='3' "
    "fill='%237fe0c8'/%3E%3C/svg%3E"
)


class Headers:
    """Adds the security headers to every response; does not hold streams up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Running(dict[str, Any]):
    """What Gradio streams now, by event, where one may be dropped twice.

    An answer that is stopped as it ends is dropped by both; without this the second is an error.
    Gradio 6 looks for the event before it waits for the lock under which it drops it.
    """

    def __delitem__(self, event: str) -> None:
        """Drop an event if it is there."""
        self.pop(event, None)


def middleware(host: str) -> list[Middleware]:
    """What every request passes: the names this server may be called by, and the headers."""
    hosts = ["*"] if host in EVERYWHERE else [host, "localhost", "127.0.0.1"]
    return [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), Middleware(Headers)]


def head() -> str:
    """What goes into the page's head: icon, words for the scripts, styles."""
    style = "".join((ROOM / name).read_text("utf-8") for name in STYLES)
    # A "</script>" among the words would end the script.
    script = EARLY_SCRIPT % json.dumps(STRINGS).replace("<", "\\u003c")
    return f'<link rel="icon" href="{ICON}"><script>{script}</script><style>{style}</style>'


def address(host: str, port: int) -> str:
    """The address to open in a browser."""
    return f"http://{'localhost' if host in EVERYWHERE else host}:{port}"


def free_port(host: str, port: int | None) -> int:
    """The port asked for, or from the default one the first free. Raises FootnoteError."""
    first = DEFAULT_PORT if port is None else port
    for candidate in range(first, first + (PORTS_TRIED if first == DEFAULT_PORT else 1)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            return candidate
    raise FootnoteError(
        f"Nothing can be served on {host}:{first} ({reason}): choose another address with `--host` "
        "or another port with `--port`."
    )
