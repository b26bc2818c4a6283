"""Reads a file from a web server, in as many attempts as it takes."""

from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from charrnn.system.extras import import_extra
from charrnn.system.progress import Progress
from charrnn.wording import format_size

TIMEOUT = 30  # seconds without an answer
MAX_REDIRECTS = 5
READ_BYTES = 1 << 14  # at a time; a cut loses what it has read of these
HTTP = ("http", "https")
UNREADABLE = "gives no answer that can be read"
FROM_THERE, NOTHING_FOLLOWS = 206, 416  # answers to a request for the rest of a file


class Refused(Exception):
    """A file cannot be read; the message completes a sentence.

    cut: whether a part of it is kept, and the next attempt continues there.
    another: whether it was read, and the entry of the list describes another file.
    """

    def __init__(self, message: str, *, cut: bool = False, another: bool = False) -> None:
        super().__init__(message)
        self.cut, self.another = cut, another


def transfer(url: str, part: Path, max_bytes: int, progress: Progress) -> bool:
    """Appends what a file lacks to the part of it that there is.

    Redirects are followed to other hosts too, but not from https to http. A server that cannot send
    the rest of a file sends all of it.

    Args:
        url: The address.
        part: The part; complete on return.
        max_bytes: No more than this is read.
        progress: Told how much there is.

    Returns:
        Whether an earlier part was continued.

    Raises:
        Refused: It cannot be read.
        OSError: The part cannot be written.
    """
    requests = import_extra("requests", "data", "a download")
    host = urlsplit(url).hostname
    start = part.stat().st_size if part.exists() else 0
    received = None  # until the server answers
    try:
        with requests.Session() as session:
            response = _answer(session, url, start)
            if response.status_code == NOTHING_FOLLOWS:  # the part is not the beginning of it
                response.close()
                response = _answer(session, url, 0)
            response.raise_for_status()
            if response.status_code != FROM_THERE:
                start = 0
            total = _total(response, start)
            if total is not None and total > max_bytes:
                message = f"it has {total:,} bytes, and may have {max_bytes:,}"
                raise Refused(message, another=True)
            received = start
            with open(part, "ab") as file:
                file.truncate(start)
                progress(received, total)
                for chunk in response.iter_content(READ_BYTES):
                    received += len(chunk)
                    if received > max_bytes:
                        file.truncate(0)
                        message = f"it has more than the {max_bytes:,} bytes it may have"
                        raise Refused(message, another=True)
                    file.write(chunk)
                    progress(received, total)
    except requests.RequestException as error:
        _refuse(requests, error, str(host), received)
    except ValueError:  # of urllib, for the address of a redirect
        raise Refused(f"{host} {UNREADABLE}") from None
    if total is not None and received < total:
        raise _cut(received)
    return start > 0


def _answer(session: Any, url: str, start: int) -> Any:
    """The answer to a request for a file from a byte on, from where redirects lead."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    for _ in range(MAX_REDIRECTS + 1):
        response = session.get(
            url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False
        )
        if not response.is_redirect:
            return response
        response.close()
        target = urljoin(url, response.headers["location"])
        allowed = HTTP if urlsplit(url).scheme == "http" else ("https",)
        if urlsplit(target).scheme not in allowed:
            raise Refused(f"{urlsplit(url).hostname} redirects to {target}, which is not safe")
        url = target
    raise Refused(f"{urlsplit(url).hostname} redirects more than {MAX_REDIRECTS} times")


def _total(response: Any, start: int) -> int | None:
    """The size of the whole file; None if the server does not say."""
    length = response.headers.get("content-length", "")
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    return start + int(length) if length.isdecimal() and not encoded else None


def _cut(received: int) -> Refused:
    return Refused(f"the connection was cut after {format_size(received)}", cut=received > 0)


def _refuse(requests: ModuleType, error: Exception, host: str, received: int | None) -> NoReturn:
    """Raises Refused with the cause of an error in a few words.

    received: the bytes that there are; None if the server has not answered.
    """
    answer = getattr(error, "response", None)
    if answer is not None:
        raise Refused(f"{host} answers {answer.status_code} {answer.reason}") from None
    if isinstance(error, requests.exceptions.SSLError):
        raise Refused(f"the certificate of {host} cannot be verified") from None
    if received is not None:
        raise _cut(received) from None
    if isinstance(error, requests.Timeout):
        raise Refused(f"{host} has not answered for {TIMEOUT} s") from None
    if type(error.args[0] if error.args else None).__name__ == "ProtocolError":  # of urllib3
        raise Refused(f"{host} {UNREADABLE}") from None
    if isinstance(error, requests.ConnectionError):
        raise Refused(f"there is no connection to {host} (is this machine offline?)") from None
    raise Refused(f"{host} cannot be read: {error}") from None
