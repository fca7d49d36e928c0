"""A scripted language model behind real HTTP, speaking the streaming protocol of OpenAI."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "scripted"


class Script:
    """What the server says next, and what it was asked."""

    def __init__(self) -> None:
        self.pieces: Sequence[str] = ()
        self.status = 200
        self.headers: dict[str, str] = {}
        # After the pieces: "hang", "cut", "garbage", "endless", or "drone", which ends no sentence.
        self.fault = ""
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.broken = threading.Event()  # Set when whoever listened has hung up.
        self.url = ""

    def say(self, *pieces: str) -> None:
        """Answer with these pieces from now on."""
        self.pieces = pieces


class Handler(BaseHTTPRequestHandler):
    """Does what the script says."""

    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        """The list of models."""
        self.send({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        """A completion, streamed."""
        length = int(self.headers["content-length"])
        self.script.asked.append(json.loads(self.rfile.read(length)))
        self.script.keys.append(self.headers.get("authorization"))
        if self.script.status != 200:
            self.send({"error": {"message": "sk-secret is wrong: context"}}, self.script.status)
        elif self.script.asked[-1]["model"] != MODEL:
            self.send({"error": {"message": "no such model"}}, 404)
        else:
            self.stream()

    def stream(self) -> None:
        """The pieces, and what goes wrong after them."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for piece in self.script.pieces:
                self.event({"delta": {"content": piece}})
            if self.script.fault == "hang":
                time.sleep(3)
            while self.script.fault == "endless":
                self.event({"delta": {"content": f"And on it went {time.monotonic()}. "}})
                time.sleep(0.01)
            while self.script.fault == "drone":
                self.event({"delta": {"content": "and on "}})
                time.sleep(0.02)
            if self.script.fault == "garbage":
                self.wfile.write(b"data: {not json\n\n")
            if not self.script.fault:
                self.event({"delta": {}, "finish_reason": "stop"})
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.script.broken.set()

    def event(self, choice: dict[str, Any]) -> None:
        """One event of the stream."""
        values = {"id": "1", "object": "chunk", "choices": [{"index": 0, **choice}]}
        self.wfile.write(f"data: {json.dumps(values)}\n\n".encode())
        self.wfile.flush()

    def send(self, values: dict[str, Any], status: int = 200) -> None:
        """A whole answer."""
        body = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in self.script.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Script]:
    """A server on a free port of this machine, until the end of the block."""
    script = Script()
    bound = type("Bound", (Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
