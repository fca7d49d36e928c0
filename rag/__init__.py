"""From a question to an answer with citations; knows no screen, no flags, no environment."""

from index import Index, IndexUnusable, open_index
from rag.answer import ask, search
from rag.types import Answer, Citation, Hit, Sentence, Turn, Value

__all__ = [
    "Answer",
    "Citation",
    "Hit",
    "Index",
    "IndexUnusable",
    "Sentence",
    "Turn",
    "Value",
    "ask",
    "open_index",
    "search",
]
