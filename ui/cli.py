"""The terminal: `rag ...`. Reads the flags, runs one command, and turns errors into one line.

Exit codes are grep's: 0 answered, 1 not in the articles, 2 an error.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ui import commands
from ui.commands import ANSWERED, FAILED, fail

INTERRUPTED = 130  # What shells give a program that Ctrl-C ended.
DEFAULT_INDEX = Path(".rag")
DEFAULT_PORT = 7860  # Gradio's.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # Closed by whoever started us, as in `rag ask ... >&-`.
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    if chosen.run is None:
        parser.print_help()
        return FAILED
    from index.types import FootnoteError

    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except FootnoteError as error:
        return fail(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # Whoever read the pipe has seen enough; a second complaint at exit is suppressed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ANSWERED
        where = f"{error.filename}: " if error.filename else ""
        return fail(f"{where}{error.strerror or error}.")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the flags and where to read more."""
        self.exit(fail(f"{message}; see `{self.prog} --help`."))


class Version(argparse.Action):
    """Prints the version. It is looked up only then: that takes as long as all of `--help`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and exit."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("footnote")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"rag {number}")
        parser.exit()


def make_parser() -> Parser:
    """All commands with their flags."""
    parser = Parser(
        prog="rag",
        description="Ask a folder of articles; every sentence of the answer carries its source.",
        epilog="Exit codes: 0 answered, 1 not in the articles, 2 an error.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parser.set_defaults(run=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], does: str) -> Parser:
        added: Parser = subparsers.add_parser(
            name, help=does, description=does[0].upper() + does[1:]
        )
        added.set_defaults(run=run)
        added.add_argument(
            "--index", type=Path, default=DEFAULT_INDEX, metavar="DIR", help="index folder (.rag)"
        )
        return added

    index = command("index", _run_index, "build the index of a folder, or bring it up to date")
    index.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="all folders and files to index (default: those of the last time, else ./articles)",
    )
    index.add_argument("--full", action="store_true", help="use nothing of the old index again")
    index.add_argument(
        "--model", metavar="NAME", help="sentence-transformers model, by name or folder"
    )
    index.add_argument(
        "--vectors",
        choices=("auto", "exact", "lists"),
        help="compare a question with every passage, or with the nearest lists of passages "
        "(auto: exact up to 200,000 passages)",
    )
    index.add_argument(
        "--watch", action="store_true", help="go on, and build again when files change"
    )
    index.add_argument(
        "--rollback", action="store_true", help="go back to the build before the current one"
    )
    index.add_argument(
        "--json", action="store_true", help="print one JSON object, and the progress on stderr"
    )

    ask = command("ask", commands.run_ask, "answer one question, with citations")
    ask.add_argument("question", nargs="*", help="the question")
    ask.add_argument(
        "--batch", metavar="FILE", help="JSON lines: id, question, history; - is stdin"
    )
    ask.add_argument("--only", metavar="GLOB", help="only files whose name fits, as news/*.md")
    ask.add_argument(
        "--top-k", type=_count, default=10, metavar="N", help="passages that are read (10)"
    )
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    _add_llm(ask)

    chat = command(
        "chat", commands.run_chat, "answer questions one after the other, follow-ups included"
    )
    _add_llm(chat)

    search = command(
        "search", commands.run_search, "list the passages that fit best, without an answer"
    )
    search.add_argument("query", nargs="*", help="what to look for")
    search.add_argument("--batch", metavar="FILE", help="JSON lines: id, question; - is stdin")
    search.add_argument("--only", metavar="GLOB", help="only articles whose file name fits")
    search.add_argument(
        "--top-k", type=_count, default=10, metavar="N", help="passages that are listed (10)"
    )
    search.add_argument("--json", action="store_true", help="print one JSON object")

    show = command("show", commands.run_show, "print the passage or article behind a citation")
    show.add_argument(
        "id", help="as in a citation: a.md#L12-18, page.html#c120-310, or a file name"
    )
    show.add_argument("--json", action="store_true", help="print one JSON object")

    status = command(
        "status", commands.run_status, "tell what is indexed, how fresh, what was left out"
    )
    status.add_argument("--json", action="store_true", help="print one JSON object")

    evaluation = command("eval", _run_eval, "measure the answers on a question file")
    evaluation.add_argument(
        "file", nargs="?", help="JSON lines: id, question, answers, evidence, answerable"
    )
    evaluation.add_argument(
        "--self", action="store_true", help="make the questions from the indexed articles"
    )
    evaluation.add_argument("--limit", type=_count, metavar="N", help="ask at most N questions")
    evaluation.add_argument(
        "--compare", type=Path, metavar="FILE", help="what an earlier `rag eval --json` printed"
    )
    evaluation.add_argument("--wrong", action="store_true", help="list the wrong answers too")
    evaluation.add_argument("--json", action="store_true", help="print one JSON object")

    _add_llm(evaluation)

    doctor = command("doctor", _run_doctor, "tell what is there, what is missing, what mends it")
    doctor.add_argument(
        "--find-llm", action="store_true", help="look for a language model on this machine"
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    _add_llm(doctor, rewrites=False)

    ui = command(
        "ui", commands.run_ui, "open the browser chat; builds the index first if there is none"
    )
    ui.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    ui.add_argument("--port", type=_port, help=f"port ({DEFAULT_PORT}, or the next free one)")
    ui.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a name and a password")
    _add_llm(ui)
    return parser


def _add_llm(command: Parser, *, rewrites: bool = True) -> None:
    command.add_argument(
        "--llm", metavar="NAME", help="language model that writes the answers: a name, or a folder"
    )
    command.add_argument(
        "--llm-url", metavar="URL", help="its OpenAI-compatible server (OPENAI_BASE_URL)"
    )
    if rewrites:
        command.add_argument(
            "--rewrite", choices=["llm"], help="let it also make follow-ups stand alone"
        )
    else:
        command.set_defaults(rewrite=None)


def _run_doctor(chosen: argparse.Namespace) -> int:
    from ui.doctor import run_doctor

    return run_doctor(chosen)


def _run_index(chosen: argparse.Namespace) -> int:
    from ui.indexing import run_index

    return run_index(chosen)


def _run_eval(chosen: argparse.Namespace) -> int:
    from ui.evaluation import run_eval

    return run_eval(chosen)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port, a number from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 1000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
