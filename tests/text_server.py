"""A web server on this machine, for downloads that go well and others that do not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

TEXT = ("The keeper went up with a lamp in his hand,\n" * 3000).encode()  # two buffers and more
HALF = len(TEXT) // 2


class TextServer(ThreadingHTTPServer):
    """Serves TEXT, in the way that the path names.

    Attributes:
        requests: The path and the Range header of each request.
        half_sent: Set when half of /slow is sent.
        go_on: Waited for before the other half.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str | None]] = []
        self.half_sent, self.go_on = Event(), Event()

    def handle_error(self, *_: object) -> None:
        """Passes over clients that leave, also when the test has ended with its captured stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            raise

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{path}"


@contextmanager
def serving() -> Iterator[TextServer]:
    with TextServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: TextServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        name = self.path[1:]
        if name.startswith("redirect-to-"):
            host = name.removeprefix("redirect-to-")
            there = "file:///etc/passwd" if host == "file" else self.server.url("text", host)
            self._begin(302, Location=self.path if host == "itself" else there)
        elif name == "silent":
            self.server.go_on.wait()
        elif name == "no-address":
            self._begin(302, Location="http://[")
        elif name == "no-http":
            self.wfile.write(b"lamp\r\n\r\n")
        elif name == "stalls":
            self._begin(200, Content_Length=len(TEXT))
            self.wfile.write(TEXT[:9])
            self.wfile.flush()
            self.server.go_on.wait()
        elif name == "missing":
            self.send_error(404)
        elif name == "endless":
            self._begin(200)
            while True:
                self.wfile.write(TEXT)
        elif name == "wrong":
            self._send(TEXT.replace(b"keeper", b"KEEPER"), 0)
        elif name == "without-ranges":
            self._send(TEXT, 0)
        elif name == "other-range" and asked:
            self._send(TEXT[: len(TEXT) - 5], 5, 206)
        elif asked and start >= len(TEXT):
            self._begin(416)
        elif name == "cut" and not asked:
            self._begin(200, Content_Length=len(TEXT))
            self.wfile.write(TEXT[:HALF])
        elif name == "slow" and not asked:
            self._begin(200, Content_Length=len(TEXT))
            self.wfile.write(TEXT[:HALF])
            self.wfile.flush()
            self.server.half_sent.set()
            self.server.go_on.wait()
            self.wfile.write(TEXT[HALF:])
        else:
            self._send(TEXT, start)

    def _send(self, content: bytes, start: int, status: int = 200) -> None:
        end = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        rest = content[start:]
        self._begin(206 if start else status, Content_Length=len(rest), **end)
        self.wfile.write(rest)

    def _begin(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
