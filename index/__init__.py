"""From a folder of articles to an index on disk, and back from disk.

`index.build` is not imported here: asking must not pay for the libraries that reading needs.
"""

from index.store import Index, open_index
from index.types import Article, Chunk, FootnoteError, IndexUnusable, Selection

__all__ = ["Article", "Chunk", "FootnoteError", "Index", "IndexUnusable", "Selection", "open_index"]
