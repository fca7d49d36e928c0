"""`rag index`: builds, tells how far it is, follows a folder, goes back. Knows watchfiles."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.commands import ANSWERED, fail, print_json
from ui.terminal import clean

if TYPE_CHECKING:
    from index.build import Progress, Report

DEFAULT_ARTICLES = Path("articles")
WAITED = 500  # Milliseconds between two looks whether there is a change.
SETTLED = 1_000  # Milliseconds without a change after which a folder is read again.


def run_index(chosen: argparse.Namespace) -> int:
    """Build or update the index, once or as often as the folder changes, or go back to the last."""
    if chosen.rollback:
        from index.current import roll_back

        built = roll_back(chosen.index)
        print(f"The build of {built} answers again; `rag index` brings it up to date.")
        return ANSWERED
    report = build_index(
        chosen.paths,
        chosen.index,
        model=chosen.model,
        full=chosen.full,
        vectors="" if chosen.vectors == "auto" else chosen.vectors,
        events=chosen.json,
    )
    show_report(report, chosen)
    return follow(chosen) if chosen.watch else ANSWERED


def show_report(report: "Report", chosen: argparse.Namespace) -> None:
    """Print what a build found."""
    if chosen.json:
        print_json(
            {
                "new": report.new,
                "changed": report.changed,
                "removed": report.removed,
                "renamed": report.renamed,
                "left_out": report.skipped,
                "articles": report.articles,
                "passages": report.chunks,
                "embedded": report.embedded,
            }
        )
        return
    counts = f"{len(report.new)} new, {len(report.changed)} changed, {len(report.removed)} removed"
    print(counts + f", {len(report.renamed)} renamed" * bool(report.renamed))
    print(f"{report.articles} articles, {report.chunks} passages in {clean(str(chosen.index))}")
    if report.skipped:
        print(f"{len(report.skipped)} left out:")
        for file, reason in report.skipped.items():
            print(f"  {clean(file)}: {clean(reason)}")


def follow(chosen: argparse.Namespace) -> int:
    """Build again whenever a file below the sources has changed, until Ctrl-C."""
    from watchfiles import DefaultFilter, watch

    from index.types import FootnoteError

    sources = [source.absolute() for source in find_sources(chosen.paths, chosen.index)]
    folder = chosen.index.absolute()
    ours = DefaultFilter(ignore_paths=[str(folder)])
    named = ", ".join(clean(str(source)) for source in sources)
    print(f"Following {named}; Ctrl-C ends.", flush=True)
    seen = False
    try:
        for changes in watch(
            *sources,
            watch_filter=ours,
            debounce=SETTLED,
            rust_timeout=WAITED,
            yield_on_timeout=True,
        ):
            # What changed before the watch began is found once it has.
            if seen and not changes:
                continue
            seen = True
            try:
                report = build_index(sources, chosen.index, events=chosen.json)
            except FootnoteError as error:
                # The old index goes on answering, and the next change may mend it.
                fail(str(error))
                continue
            if report.new or report.changed or report.removed or report.renamed:
                show_report(report, chosen)
                sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    return ANSWERED


def build_index(
    paths: Sequence[Path],
    folder: Path,
    *,
    model: str | None = None,
    full: bool = False,
    vectors: str | None = None,
    events: bool = False,
) -> "Report":
    """Build, showing the progress on stderr; returns the report."""
    from index.build import build

    steps = build(find_sources(paths, folder), folder, model=model, full=full, vectors=vectors)
    report = None
    for progress in show_events(steps) if events else show_progress(steps):
        report = progress.report
    if report is None:
        raise AssertionError("A build that ends without a report raises.")
    return report


def find_sources(paths: Sequence[Path], folder: Path) -> list[Path]:
    """What to index: what is named, else what was indexed the last time, else ./articles."""
    return list(paths) or _last_sources(folder) or [DEFAULT_ARTICLES]


def _last_sources(folder: Path) -> list[Path]:
    """What was indexed the last time, if it is still there."""
    from index.manifest import current_build, read_manifest
    from index.types import IndexUnusable

    try:
        sources = [Path(source) for source in read_manifest(current_build(folder)).sources]
    except IndexUnusable:
        return []
    return sources if all(source.exists() for source in sources) else []


def show_events(steps: "Iterable[Progress]") -> "Iterator[Progress]":
    """Pass the steps of a build on, printing each as a line of JSON on stderr."""
    for step in steps:
        event = {"stage": step.stage, "done": step.done, "total": step.total, "file": step.file}
        print(json.dumps({**event, "note": step.note}), file=sys.stderr, flush=True)
        yield step


def show_progress(steps: "Iterable[Progress]") -> "Iterator[Progress]":
    """Pass the steps of a build on, drawing them on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        for step in steps:
            if step.note:
                print(clean(step.note), file=sys.stderr)
            yield step
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[file]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}
        for step in steps:
            if step.note:
                bar.console.print(clean(step.note), markup=False)
            if step.stage not in tasks:
                tasks[step.stage] = bar.add_task(step.stage, total=step.total, pace="", file="")
            task = tasks[step.stage]
            bar.update(task, completed=step.done, total=step.total, file=escape(clean(step.file)))
            speed = bar.tasks[bar.task_ids.index(task)].speed
            bar.update(task, pace=f"{speed:,.0f}/s" if speed and speed >= 1 else "")
            yield step
