"""Downloads files, each known by its SHA-256, into the user's cache."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from charrnn.errors import InputError, UsageError
from charrnn.system.cache import VARIABLE, known_sha256_of, sha256_of
from charrnn.system.extras import import_extra
from charrnn.system.files import detach
from charrnn.system.lock import Held, Lock
from charrnn.system.progress import Progress
from charrnn.system.remote import Remote, watch
from charrnn.system.transfer import Refused, transfer
from charrnn.wording import word


def download(remote: Remote) -> None:
    """Downloads a file; nothing is at its path until all of it is there and has its SHA-256.

    A download that was cut off is continued, if the server can.

    Raises:
        UsageError: pooch is not installed.
        InputError: The file cannot be downloaded or saved, or is another one.
    """
    try:
        pooch = import_extra("pooch", "data", f"downloading {remote.name}")
    except UsageError as error:
        raise UsageError(str(error), f"{error.hint}; or {_by_hand(remote)}") from None
    if remote.path.exists() and not remote.path.is_file():
        message = f"{remote.name} cannot be saved: {remote.path} is there, and is no file."
        raise InputError(message, "move it away.")
    try:
        remote.path.parent.mkdir(parents=True, exist_ok=True)
        with _claimed_part(remote.path) as part, watch.get()(remote) as progress:
            _retrieve(pooch, remote, part, progress)
    except Refused as refusal:
        again = "run the command again to continue; or " * refusal.cut
        entry = "if it is the text that you mean, change its entry in your list; else "
        hint = (again or entry * (refusal.another and remote.own)) + _by_hand(remote)
        raise InputError(f"{remote.name} cannot be downloaded: {refusal}.", hint) from None
    except OSError as error:
        raise InputError(
            f"{remote.name} cannot be saved in {remote.path.parent}: {error.strerror or error}.",
            f"free some space, or set the environment variable {VARIABLE} to another folder.",
        ) from None


def _retrieve(pooch: ModuleType, remote: Remote, part: Path | None, progress: Progress) -> None:
    """Has pooch save what `transfer` reads, if its SHA-256 is right; else raises Refused.

    part: what an earlier download left, and this one may leave; None to leave nothing.
    """
    found = ""

    def read(url: str, output: str, _: object) -> None:
        nonlocal found
        file = part or Path(output)
        if part:
            os.unlink(output)  # empty, and left behind if the program is killed
        if transfer(url, file, remote.max_bytes, progress) and sha256_of(file) != remote.sha256:
            file.unlink()  # a part of another version
            transfer(url, file, remote.max_bytes, progress)
        found = sha256_of(file)
        os.replace(file, output)

    pooch.get_logger().setLevel("ERROR")  # `watch` says what happens
    path, known = remote.path, f"sha256:{remote.sha256}"
    try:
        pooch.retrieve(remote.url, known, path.name, path.parent, downloader=read)
    except ValueError:
        raise Refused(
            f"{remote.url} has another text, whose SHA-256 is {found}, not {remote.sha256}",
            another=True,
        ) from None


@contextmanager
def _claimed_part(path: Path) -> Iterator[Path | None]:
    """The path of a part that no other process adds to; None if one does."""
    try:
        lock = Lock(path.with_name(f"{path.name}.lock"))
    except Held:
        yield None
        return
    try:
        part = path.with_name(f"{path.name}.part")
        detach(part)  # a link would be written through
        yield part if lock.works else None
    finally:
        lock.release()


def _by_hand(remote: Remote) -> str:
    """How to do without the download."""
    wrong = known_sha256_of(remote.path)
    instead = f", in place of the file with SHA-256 {wrong}" if wrong else ""
    return f"save {remote.url} as {word(str(remote.path))}{instead}; its SHA-256 is {remote.sha256}"
