"""The empty page: what it says, and example questions that the articles answer."""

from pathlib import Path
from threading import Lock, Thread

from ui.chat import Chat
from ui.render import escape_label
from ui.strings import say


class Welcome:
    """What the empty page says; its examples are found in the background, once a build."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._build: Path | None = None
        self._search = Thread()
        self._questions: list[str] = []
        self._lock = Lock()

    def text(self) -> str:
        """The welcome, or how to begin when there is no index."""
        articles = self._chat.articles()
        if not articles:
            folder = self._chat.library.waiting()
            button = (
                f"[{say('build_first', folder=escape_label(folder))}](#build)" if folder else ""
            )
            return f"{say('no_index')}\n\n{button}".strip()
        counted = say("many_articles", count=f"{articles:,}")
        return say("welcome", articles=say("one_article") if articles == 1 else counted)

    def examples(self, patience: float) -> list[dict[str, str]]:
        """The example questions of the current build that are known after `patience` seconds."""
        with self._lock:
            build = self._chat.build()
            if build != self._build:
                self._build, self._questions = build, []
                # No daemon: a thread inside onnxruntime that is killed aborts the whole process.
                self._search = Thread(target=self._find)
                self._search.start()
        if build:
            self._search.join(patience)
        return [{"text": question} for question in self._questions]

    def _find(self) -> None:
        self._questions = self._chat.examples()
