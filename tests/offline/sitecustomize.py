"""Loaded by every Python that tests start: no connection may leave the machine."""

import ipaddress
import socket
from typing import Any

_connect = socket.socket.connect


def _only_here(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0])
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"A connection to {address} would leave the machine.")
    _connect(self, address)


def _resolve_only_here(host: Any, *arguments: Any, **options: Any) -> Any:
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", socket.gethostname()):
        raise AssertionError(f"Looking up {host!r} would leave the machine.")
    return _getaddrinfo(host, *arguments, **options)


_getaddrinfo = socket.getaddrinfo
socket.socket.connect = _only_here  # type: ignore[method-assign]
socket.getaddrinfo = _resolve_only_here
