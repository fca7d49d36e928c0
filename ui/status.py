"""What `rag status` tells: what is indexed, how fresh it is, what was left out and why."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from index import open_index
from index.read import find_files, read_bytes
from index.types import Article, FootnoteError, Range, Unreadable
from index.vectors import EXACT, LISTS
from ui.terminal import clean

VECTORS = {
    EXACT: "exact: a question is compared with every passage",
    LISTS: "lists: a question is compared with the lists of passages that are nearest to it",
}


def describe(folder: Path) -> dict[str, Any]:
    """The state of an index folder, as `rag status --json` prints it."""
    index = open_index(folder)
    manifest = index.manifest
    digests = index.digests()
    passages: dict[str, list[Range]] = {}
    for _, file, start, end, _ in index.chunk_rows():
        passages.setdefault(file, []).append((start, end))
    files = [
        {**_file(article, passages.get(article.file, [])), "copy_of": index.originals.get(file)}
        for article, _ in index.articles()
        for file in [article.file]
    ]
    return {
        "index": str(folder),
        "build": index.build.name,
        "built": manifest.created,
        "sources": list(manifest.sources),
        "model": manifest.model,
        "dimension": manifest.dimension,
        "chunking": manifest.chunking,
        "articles": manifest.articles,
        "passages": manifest.chunks,
        "vectors": manifest.kind,
        "passages_changed": manifest.changes,
        "bytes": sum(size for size, _, _ in manifest.files.values()),
        **changes(
            [Path(source) for source in manifest.sources],
            digests,
            {file: digest for file, (_, digest) in index.skipped().items()},
        ),
        "left_out_files": {file: reason for file, (reason, _) in index.skipped().items()},
        "files": files,
    }


def _file(article: Article, passages: list[Range]) -> dict[str, Any]:
    """What an article is, and what of its text is in its passages, left out, or in neither."""
    gaps = [(gap.start, gap.end) for gap in article.left_out]
    reached = letters(article.text, passages)
    left_out = letters(article.text, [*passages, *gaps]) - reached
    written = letters(article.text, [(0, len(article.text))])
    return {
        "file": article.file,
        "title": article.title,
        "author": article.author or None,
        "date": article.date or None,
        "characters": len(article.text),
        "words": len(article.text.split()),
        "pages": len(article.pages) or None,
        "passages": len(passages),
        "in_passages": round(reached / written, 4),
        "left_out_share": round(left_out / written, 4),
        "lost_characters": written - reached - left_out,
        "left_out": [
            {"start": gap.start, "end": gap.end, "reason": gap.reason} for gap in article.left_out
        ],
        "remarks": list(article.remarks),
    }


def letters(text: str, ranges: Iterable[Range]) -> int:
    """How many characters that are no space the ranges hold, each counted once."""
    count, position = 0, 0
    for start, end in sorted(ranges):
        count += len("".join(text[max(start, position) : end].split()))
        position = max(position, end)
    return count


def read_digest(path: Path) -> str:
    """The SHA-256 of a file, or an empty string where it cannot be read."""
    try:
        return sha256(read_bytes(path)).hexdigest()
    except Unreadable:
        return ""


def changes(
    sources: Sequence[Path],
    digests: dict[str, str],
    skipped: dict[str, str],
    digest_of: Callable[[Path], str] = read_digest,
) -> dict[str, Any]:
    """Which files are new, changed or gone since the index was built.

    `digests` are those of the files that were indexed, `skipped` those of the files that were not.
    """
    try:
        found = find_files(sources)
    except FootnoteError as error:
        return {"new": [], "changed": [], "removed": [], "unreachable": str(error)}
    now = {file: digest_of(path) for file, path in found.files.items()}
    known = digests | skipped
    return {
        "new": [file for file in now if file not in known],
        "changed": [file for file, digest in now.items() if known.get(file, digest) != digest],
        "removed": sorted(digests.keys() - now.keys()),
    }


def status_lines(described: dict[str, Any]) -> Iterator[str]:
    """The same for a person."""
    yield f"{described['articles']} articles, {described['passages']} passages"
    yield f"index    {clean(described['index'])} ({described['bytes'] / 1e6:.1f} MB)"
    yield f"from     {clean(', '.join(described['sources']))}"
    yield f"built    {described['built']} with {clean(described['model'])}"
    later = f", {described['passages_changed']:,} of them written later"
    yield f"vectors  {VECTORS[described['vectors']]}" + later * bool(described["passages_changed"])
    if "unreachable" in described:
        yield f"changes  {clean(described['unreachable'])}"
    else:
        counts = ", ".join(
            f"{len(described[what])} {what}" for what in ("new", "changed", "removed")
        )
        fresh = not any(described[what] for what in ("new", "changed", "removed"))
        yield f"changes  {counts} since then" + ("" if fresh else ": run `rag index`")
    shares = [(file["characters"], file["in_passages"]) for file in described["files"]]
    whole = sum(count for count, _ in shares) or 1
    lost = sum(file["lost_characters"] for file in described["files"])
    share = sum(count * part for count, part in shares) / whole
    told = f", {lost} characters are lost: please report this" if lost else ", the rest left out"
    yield f"coverage {share:.1%} of the text is in passages" + told * (share < 1)
    for file, reason in described["left_out_files"].items():
        yield f"left out {clean(file)}: {clean(reason)}"
    for file in described["files"]:
        if file["copy_of"]:
            yield f"copy     {clean(file['file'])} says what {clean(file['copy_of'])} says"
        reasons = Counter(gap["reason"] for gap in file["left_out"])
        for remark in file["remarks"]:
            yield f"note     {clean(file['file'])}: {clean(remark)}"
        if reasons:
            listed = ", ".join(
                f"{reason} ({count})" if count > 1 else reason for reason, count in reasons.items()
            )
            share = f"{file['left_out_share']:.1%}"
            yield f"left out {share} of {clean(file['file'])}: {clean(listed)}"
