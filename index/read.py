"""A folder of files -> the files that can be articles, and each file -> an Article.

Nothing disappears silently: a file that cannot be read raises `Unreadable` with the reason, and
`find_files` lists what it passed over.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from index.boilerplate import find_boilerplate, merge
from index.sentences import sentences
from index.types import Article, NothingToIndex, Unreadable

# Files and functions by the ending of a name. Their libraries take a quarter of a second to import,
# so that each waits until there is something for it to read.
READERS = {
    ".txt": ("read_text", "read_text"),
    ".text": ("read_text", "read_text"),
    ".md": ("read_text", "read_markdown"),
    ".markdown": ("read_text", "read_markdown"),
    ".html": ("read_html", "read_html"),
    ".htm": ("read_html", "read_html"),
    ".xhtml": ("read_html", "read_html"),
    ".pdf": ("read_pdf", "read_pdf"),
    ".docx": ("read_docx", "read_docx"),
    ".odt": ("read_odt", "read_odt"),
    ".rtf": ("read_rtf", "read_rtf"),
    ".epub": ("read_epub", "read_epub"),
    ".jsonl": ("read_jsonl", "read_jsonl"),
}
READER_VERSION = 2  # Bump when a reader changes, so that unchanged files are read again.
HALF = re.compile("[\ud800-\udfff]")
LARGEST_FILE = 200_000_000  # Bytes; more in one article is a data dump, and memory is finite.


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk over the given paths met: files to read by name, and what was passed over."""

    files: dict[str, Path]
    passed_over: dict[str, str]


def find_files(sources: Sequence[Path]) -> Found:
    """Walk folders and single files; names are relative to the folder they have in common.

    Raises NothingToIndex when a path does not exist. Links to folders are not followed, so a loop
    of links cannot trap the walk.
    """
    for source in sources:
        if not source.exists():
            raise NothingToIndex(f"There is no folder or file {source}: name one that exists.")
    root = common_folder(sources)
    files: dict[str, Path] = {}
    passed_over: dict[str, str] = {}
    for source in sources:
        for path, reason in _walk(source):
            name = path.absolute().relative_to(root).as_posix()
            # Undecodable bytes in a file name become a replacement character, for JSON and SQLite.
            name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if reason:
                passed_over[name] = reason
            else:
                files[name] = path
    return Found(dict(sorted(files.items())), dict(sorted(passed_over.items())))


def common_folder(sources: Sequence[Path]) -> Path:
    """The deepest folder that holds all the sources."""
    folders = [path if path.is_dir() else path.parent for path in map(Path.absolute, sources)]
    return Path(os.path.commonpath(folders))


def _walk(source: Path) -> list[tuple[Path, str]]:
    if source.is_file():
        return [(source, _unfit(source))]
    found: list[tuple[Path, str]] = []
    unreadable: list[OSError] = []
    for folder, subfolders, names in os.walk(source, onerror=unreadable.append):
        here = Path(folder)
        hidden = sorted(name for name in subfolders if name.startswith("."))
        links = sorted(name for name in subfolders if (here / name).is_symlink())
        found += [(here / name, "hidden folder") for name in hidden if name != ".rag"]
        found += [(here / name, "link to a folder") for name in links if name not in hidden]
        subfolders[:] = sorted(set(subfolders) - {*hidden, *links})
        found += [(here / name, _unfit(here / name)) for name in sorted(names)]
    found += [(Path(error.filename), "folder without read permission") for error in unreadable]
    return found


def _unfit(path: Path) -> str:
    """Why a file is no candidate at all, or an empty string."""
    if path.name.startswith("."):
        return "hidden file"
    if path.suffix.lower() not in READERS:
        return f"format {path.suffix or 'without an ending'} is not read"
    if not path.exists():
        return "broken link"
    if not path.is_file():
        return "not a regular file"
    return ""


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises Unreadable with a reason a person understands."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unreadable(f"larger than {LARGEST_FILE // 1_000_000} MB")
        return path.read_bytes()
    except PermissionError as error:
        raise Unreadable("no read permission") from error
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or error})") from error


def _whole(article: Article) -> Article:
    """The article with a mark for each half character, as JSON and rich text may hold them.

    No encoding can write them, so no other part of the program could.
    """
    return replace(
        article,
        text=HALF.sub("\ufffd", article.text),
        title=HALF.sub("\ufffd", article.title),
        author=HALF.sub("\ufffd", article.author),
        headings=tuple(
            replace(heading, text=HALF.sub("\ufffd", heading.text)) for heading in article.headings
        ),
    )


def read_article(file: str, content: bytes) -> Article:
    """Turn the bytes of one file into an Article; raises Unreadable with the reason."""
    if not content:
        raise Unreadable("empty file")
    module, function = READERS[Path(file).suffix.lower()]
    read: Callable[[str, bytes], Article] = getattr(import_module(f"index.{module}"), function)
    article = _whole(read(file, content))
    if not article.text.strip():
        raise Unreadable("no text in it")
    left_out = tuple(merge([*article.left_out, *find_boilerplate(article.text)]))
    found = sentences(article.text, left_out)
    if not found:
        raise Unreadable("nothing but boilerplate in it")
    return replace(article, left_out=left_out, sentences=found)
