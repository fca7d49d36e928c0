"""What `rag status` tells: what is indexed, how fresh it is, what was left out and why."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from index import open_index
from index.read import find_files, read_bytes
from index.types import FootnoteError, Unreadable
from ui.terminal import clean


def describe(folder: Path) -> dict[str, Any]:
    """The state of an index folder, as `rag status --json` prints it."""
    index = open_index(folder)
    manifest = index.manifest
    digests = index.digests()
    passages = Counter(file for _, file, _, _, _ in index.chunk_rows())
    files = [
        {
            "file": article.file,
            "title": article.title,
            "characters": len(article.text),
            "words": len(article.text.split()),
            "passages": passages[article.file],
            "left_out": [
                {"start": gap.start, "end": gap.end, "reason": gap.reason}
                for gap in article.left_out
            ],
        }
        for article, _ in index.articles()
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
        "bytes": sum(size for size, _ in manifest.files.values()),
        **_changes([Path(source) for source in manifest.sources], digests, index.skipped()),
        "left_out_files": {file: reason for file, (reason, _) in index.skipped().items()},
        "files": files,
    }


def _changes(
    sources: list[Path], digests: dict[str, str], skipped: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    """Which files are new, changed or gone since the index was built."""
    try:
        found = find_files(sources)
    except FootnoteError as error:
        return {"new": [], "changed": [], "removed": [], "unreachable": str(error)}
    now: dict[str, str] = {}
    for file, path in found.files.items():
        try:
            now[file] = sha256(read_bytes(path)).hexdigest()
        except Unreadable:
            now[file] = ""
    known = digests | {file: digest for file, (_, digest) in skipped.items()}
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
    if "unreachable" in described:
        yield f"changes  {clean(described['unreachable'])}"
    else:
        counts = ", ".join(
            f"{len(described[what])} {what}" for what in ("new", "changed", "removed")
        )
        fresh = not any(described[what] for what in ("new", "changed", "removed"))
        yield f"changes  {counts} since then" + ("" if fresh else ": run `rag index`")
    for file, reason in described["left_out_files"].items():
        yield f"left out {clean(file)}: {clean(reason)}"
    for file in described["files"]:
        reasons = Counter(gap["reason"] for gap in file["left_out"])
        if reasons:
            listed = ", ".join(
                f"{reason} ({count})" if count > 1 else reason for reason, count in reasons.items()
            )
            yield f"left out {clean(file['file'])}: {listed}"
