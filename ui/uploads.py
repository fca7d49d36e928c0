"""Files that come from a browser: into the folder of uploads, and out of it. Knows no Gradio.

Nothing of a name or a file is trusted: the name is cleaned, nothing is written over, links are not
followed, and a file appears in the folder whole or not at all.
"""

import re
import shutil
import unicodedata
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock

from index.manifest import file_digest
from index.read import READERS
from index.types import FootnoteError

UPLOADS = "uploads"
REMOVED = "removed"
LARGEST_UPLOAD = 50_000_000  # Bytes.
LONGEST_NAME = 180  # Bytes; file systems allow 255, and " (2)" or a restored copy wants room.
SEPARATORS = re.compile(r"[/\\]")
RESERVED = re.compile(r'[<>:"|?*]')  # Windows refuses these, and these devices, with any ending.
DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))")
WRITING = Lock()  # Two uploads of one name at once are one after the other.


def clean_name(name: object) -> str:
    """A file name made harmless. Raises FootnoteError when its format is not one that is read."""
    last = SEPARATORS.split(name if isinstance(name, str) else "")[-1]
    # Control characters, and those that turn the direction of writing, are of category C.
    kept = "".join(
        char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C"
    )
    whole = " ".join(RESERVED.sub("_", kept).split()).lstrip(". ").rstrip(". ")
    suffix = Path(whole).suffix
    if suffix.lower() not in READERS:
        formats = ", ".join(format[1:] for format in READERS)
        ending = f"ends in {suffix[:20]}" if suffix else "has no ending"
        raise FootnoteError(
            f"“{whole[:80]}” cannot be added, since its name {ending}: add one of {formats}."
        )
    stem = whole[: -len(suffix)].rstrip(". ").encode()[:LONGEST_NAME].decode(errors="ignore")
    return DEVICES.sub(r"_\g<0>", stem + suffix)


def keep_upload(folder: Path, name: str, content: Path) -> Path:
    """Move an uploaded file into the folder of uploads; returns where it is.

    Where a file of that name says the same it stays the only one; where it says something else
    the new one gets " (2)". Raises FootnoteError.
    """
    name = clean_name(name)
    try:
        if content.is_symlink() or not content.is_file():
            raise FootnoteError(f"“{name}” did not arrive whole: add it again.")
        if content.stat().st_size > LARGEST_UPLOAD:
            raise FootnoteError(
                f"“{name}” is larger than {LARGEST_UPLOAD // 1_000_000} MB: put it into the folder "
                "of the articles yourself."
            )
        with WRITING:
            folder.mkdir(parents=True, exist_ok=True)
            if folder.is_symlink():
                raise FootnoteError(
                    f"The folder {folder} is a link, which is not followed: make it a folder."
                )
            digest = file_digest(content)
            for path in _numbered(folder / name):
                if path.is_file() and not path.is_symlink() and file_digest(path) == digest:
                    content.unlink(missing_ok=True)
                    return path
                if not path.exists() and not path.is_symlink():
                    break
            return _move(content, path)
    except OSError as error:
        raise FootnoteError(
            f"“{name}” cannot be kept in {folder} ({error.strerror or error}): make room there, or "
            "let it be written to."
        ) from error


def put_away(path: Path, removed: Path) -> Path:
    """Move an uploaded file to the removed ones; returns where it is. Raises FootnoteError."""
    try:
        with WRITING:
            if not path.is_symlink() and not path.is_file():
                raise FootnoteError(f"“{path.name}” is no longer there: reload the page.")
            if path.is_symlink():
                # The link goes and not the file it points to; there is nothing of it to keep.
                path.unlink()
                return path
            removed.mkdir(parents=True, exist_ok=True)
            place = next(one for one in _numbered(removed / path.name) if not one.exists())
            return _move(path, place)
    except OSError as error:
        raise FootnoteError(
            f"“{path.name}” cannot be moved to {removed} ({error.strerror or error}): delete it in "
            "its folder."
        ) from error


def _numbered(path: Path) -> Iterator[Path]:
    """A path, and the same with (2), (3) and so on before the ending."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")


def _move(source: Path, target: Path) -> Path:
    """Move a file to a name that is free, so that nobody ever sees half of it there."""
    # The beginning dot keeps a build that runs meanwhile from reading it.
    with NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as half:
        unfinished = Path(half.name)
    try:
        shutil.copyfile(source, unfinished)
        unfinished.chmod(0o644)
        target.open("xb").close()  # Fails where another process was quicker.
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    source.unlink(missing_ok=True)
    return target
