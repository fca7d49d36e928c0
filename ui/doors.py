"""What the page's script may ask of the server. Knows no Gradio.

Every door takes the owner of the browser's conversations and whatever the browser sent, which is
not trusted, and gives plain data; what went wrong is a sentence under `error`.
"""

import glob
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from index import Index
from index.types import FootnoteError
from ui.chat import Chat
from ui.export import FORMATS, export
from ui.library import passage_link
from ui.render import Data, read_link
from ui.strings import say

Door = Callable[[str, Any], Data]
PASSAGE_SHOWN = 240  # Characters of a passage on the map.
LONGEST_SEARCH = 200  # Characters of a search among conversations.
LINKS_LOCATED = 50


class Doors:
    """The doors of one chat; `is_upload` tells whether a path is that of a file a browser sent."""

    def __init__(self, chat: Chat, is_upload: Callable[[Path], bool]) -> None:
        self._chat = chat
        self._library = chat.library
        self._conversations = chat.conversations
        self._is_upload = is_upload

    def every(self) -> list[Door]:
        """The doors, each with its errors told."""
        return [
            _told(door)
            for door in (
                self.article, self.suggestions, self.library_table, self.changes, self.add,
                self.remove_file, self.rebuild, self.progress, self.cancel, self.plane,
                self.locate, self.passage, self.timeline, self.conversations_list, self.rename,
                self.forget, self.save,
            )
        ]  # fmt: skip

    def article(self, owner: str, sent: Any) -> Data:
        """The article behind the link of a citation."""
        return self._chat.article(sent)

    def suggestions(self, owner: str, sent: Any) -> Data:
        """Questions to go on with after the answer of this id."""
        return {"questions": self._chat.suggestions(_text(sent))}

    def library_table(self, owner: str, sent: Any) -> Data:
        """What is indexed, a row an article."""
        return self._library.table(self._chat.index_or_none())

    def changes(self, owner: str, sent: Any) -> Data:
        """What has changed since the build, and whether a build runs."""
        return {**self._library.changes(), "running": self._library.progress()["running"]}

    def add(self, owner: str, sent: Any) -> Data:
        """Take a file that was sent into the library."""
        path = Path(_text(_part(sent, "path")))
        if not self._is_upload(path):
            raise FootnoteError(say("not_uploaded"))
        return {"file": self._library.add(_text(_part(sent, "name")), path)}

    def remove_file(self, owner: str, sent: Any) -> Data:
        """Take a file that was added out of the library again."""
        self._library.remove(_text(sent))
        return {}

    def rebuild(self, owner: str, sent: Any) -> Data:
        """Begin to bring the index up to date."""
        return {"started": self._library.rebuild()}

    def progress(self, owner: str, sent: Any) -> Data:
        """How far the build is."""
        return self._library.progress()

    def cancel(self, owner: str, sent: Any) -> Data:
        """Stop the build; the index stays as it was."""
        self._library.cancel()
        return {}

    def plane(self, owner: str, sent: Any) -> Data:
        """The map of the passages."""
        return self._library.plane(self._chat.index())

    def locate(self, owner: str, sent: Any) -> Data:
        """Where a question and the passages behind some citations lie on the map."""
        index = self._chat.index()
        links = _part(sent, "links")
        links = links[:LINKS_LOCATED] if isinstance(links, list) else []
        ids = [id for link in links for id in self._passages(index, link)]
        return self._library.locate(index, _text(_part(sent, "question")), ids)

    def passage(self, owner: str, sent: Any) -> Data:
        """The words of one passage, and the link to it."""
        index = self._chat.index()
        try:
            chunk = index.chunk(sent if isinstance(sent, int) else -1)
        except LookupError as error:
            raise FootnoteError(say("unknown_source")) from error
        article = index.article(chunk.file)
        words = article.shown(chunk.start, chunk.end) if article else chunk.text
        link = passage_link(index, sent)
        return {"title": chunk.title, "text": words[:PASSAGE_SHOWN], "link": link}

    def timeline(self, owner: str, sent: Any) -> Data:
        """The articles by date."""
        return self._library.timeline(self._chat.index())

    def conversations_list(self, owner: str, sent: Any) -> Data:
        """The owner's conversations, or those with certain words."""
        found = self._conversations.list(owner, _text(sent)[:LONGEST_SEARCH])
        return {
            "conversations": [
                {
                    "id": one.id,
                    "title": one.title,
                    "updated": one.updated,
                    "exchanges": one.exchanges,
                }
                for one in found
            ]
        }

    def rename(self, owner: str, sent: Any) -> Data:
        """Give a conversation another title."""
        id, title = _text(_part(sent, "conversation")), _text(_part(sent, "title"))
        self._conversations.rename(owner, id, title)
        return {}

    def forget(self, owner: str, sent: Any) -> Data:
        """Delete a conversation."""
        self._conversations.delete(owner, _text(sent))
        return {}

    def save(self, owner: str, sent: Any) -> Data:
        """A whole conversation as text of a format, with its quotes and references."""
        id, format = _text(_part(sent, "conversation")), _text(_part(sent, "format"))
        exchanges = self._conversations.exchanges(owner, id)
        if format not in FORMATS or not exchanges:
            raise FootnoteError(say("nothing_to_save"))
        titles = {one.id: one.title for one in self._conversations.list(owner)}
        return {"text": export(titles.get(id, exchanges[0].question), exchanges, format)}

    def _passages(self, index: Index, link: object) -> list[int]:
        """The chunks that hold some of what a citation's link points at."""
        target = read_link(link)
        file = self._chat.file(target.token) if target else ""
        if target is None or not file:
            return []
        start, end = target.cited
        chunks = (index.chunk(id) for id in index.chunk_ids(glob.escape(file)))
        return [chunk.id for chunk in chunks if chunk.start < end and chunk.end > start]


def _told(door: Door) -> Door:
    """The door, with an error for the user as a sentence in the data."""

    @wraps(door)
    def told(owner: str, sent: Any) -> Data:
        try:
            return door(owner, sent)
        except FootnoteError as error:
            return {"error": str(error)}

    return told


def _text(sent: object) -> str:
    return sent if isinstance(sent, str) else ""


def _part(sent: object, name: str) -> Any:
    return sent.get(name) if isinstance(sent, dict) else None
