"""Fetching MNIST and Fashion-MNIST: it can be stopped at any time and resumed later."""

import errno
import hashlib
import os
import time
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from optviz.data.sources import SOURCES, DataError, cache_folder

CHUNK = 2**15  # bytes between two calls of `stop`
PATIENCE = 15.0  # seconds without a byte before giving up on the server


def fetch(
    key: str, folder=None, address: str | None = None, progress=None, stop=None
) -> Path | None:
    """Download the four files of SOURCES[key] into a folder; gives it, or None after a stop.

    `folder` is the user's cache folder at None, `address` that of the source. `progress` is called
    as progress(bytes_done, bytes_total) over all files; `stop`, asked after each chunk, ends it.

    A file is written to its name with .part and takes its own name when its size and SHA-256 are
    right, so a file of that name is complete. After a stop or a cut connection the part stays, and
    the next call asks the server for the rest (a Range request; one that does not know these sends
    all again). A wrong file is deleted, and fetched anew where it was put together from parts.
    Files that are there and right are not fetched again. DataError says what failed.
    """
    source = SOURCES[key]
    folder = Path(folder) if folder else cache_folder() / key
    address = (address or source.address).rstrip("/")
    done = 0
    with _exclusive_access(folder, stop) as locked:
        if not locked:
            return None
        for name, size, digest in source.files:
            downloading = _download(f"{address}/{name}", folder / name, size, digest)
            with closing(downloading):
                for present in downloading:
                    if progress:
                        progress(done + present, source.size)
                    if stop and stop():
                        return None
            done += size
    return folder


def _download(url, path, size, digest):
    """Yield how many bytes are there, again and again, until the right file is at `path`."""
    part = path.with_name(path.name + ".part")
    try:
        if _is_valid(path, size, digest):
            yield size
            return
        present = resumed = part.stat().st_size if part.exists() else 0
        if present >= size and not _is_valid(part, size, digest):
            part.unlink()
            present = resumed = 0
        if present < size:
            with (
                _open_response(url, present, size, part) as answer,
                open(part, "ab" if answer.status == 206 else "wb") as file,
            ):
                present = file.tell()
                yield present
                while block := answer.read(CHUNK):
                    present += len(block)
                    if present > size:
                        break
                    file.write(block)
                    yield present
        if present < size:
            raise DataError(
                f"The connection was cut after {present} of {size} bytes of {url}. Fetch again "
                "to resume."
            )
        if not _is_valid(part, size, digest):
            part.unlink()
            if resumed:  # perhaps only the earlier part is wrong
                yield from _download(url, path, size, digest)
                return
            wrong = "size" if present > size else "SHA-256"
            raise DataError(f"{url} is not the expected file (wrong {wrong}); it was deleted.")
        os.replace(part, path)
        yield size
    except (HTTPException, OSError) as error:
        raise DataError(
            f"{url} could not be fetched: {error or type(error).__name__}. Fetch again to resume."
        ) from error


def _open_response(url, present, size, part):
    """The server's open answer: the bytes from `have` on (status 206), or all of them (200)."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("no http")
        headers = {"Range": f"bytes={present}-"} if present else {}
        answer = urlopen(Request(url, headers=headers), timeout=PATIENCE)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the server's file ends before ours does
            part.unlink()
        status = f"{error.code} {error.reason}"
        raise DataError(f"{url} could not be fetched: the server answers {status}.") from error
    except URLError as error:
        raise DataError(f"{url} cannot be reached: {error.reason}.") from error
    except ValueError as error:
        raise DataError(f"{url} is not an address of the form https://….") from error
    if answer.status == 206:
        first, _, whole = answer.headers.get("Content-Range", "").partition("/")
        fits = first.startswith(f"bytes {present}-") and whole in (str(size), "*")
    else:
        fits = answer.headers.get("Content-Length", str(size)) == str(size)
    if not fits:
        answer.close()
        part.unlink(missing_ok=True)
        raise DataError(
            f"{url} is not the expected file: it does not have the official {size} bytes."
        )
    return answer


def _is_valid(path, size, digest) -> bool:
    """Whether there is a file of this size and SHA-256."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


@contextmanager
def _exclusive_access(folder, stop):
    """Wait until nobody else fetches into `folder`; False where `stop` came first.

    Two visitors who press the button at once would write into the same part.
    """
    with _open_lock(folder) as file:  # closing it ends the lock
        while not _try_lock(file):
            if stop and stop():
                yield False
                return
            time.sleep(0.1)
        yield True


def _open_lock(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / ".lock", "ab")
    except OSError as error:
        raise DataError(f"Nothing can be written to {folder}: {error.strerror}.") from error


def _try_lock(file) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # some network drives know no locks: two at once may then spoil each other's part, which its
        # hash will tell
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True
