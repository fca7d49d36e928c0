"""Two doors to a language model: an OpenAI-compatible server, or a model folder in this process.

The only file that knows openai and transformers; both are imported when a model is asked for. Keys
go to the server and nowhere else: no message names them, and no text of a server is passed on.
"""

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from index.types import FootnoteError
from rag.prompt import ANSWER_TOKENS
from rag.types import LLM, Message

if TYPE_CHECKING:
    import openai

PATIENCE = 20.0  # Seconds without a word after which a model is given up.
SERVER_CONTEXT = 4096  # Tokens, where the server does not say: what Ollama reads by default.
LOCAL_CONTEXT = 8192  # Tokens, at most: more takes a CPU minutes.
CHARACTERS_A_TOKEN = 3.0  # English has 4; numbers and names have fewer.
LOCAL_SERVERS = {
    "Ollama": "http://localhost:11434/v1",
    "LM Studio": "http://localhost:1234/v1",
    "llama.cpp or transformers serve": "http://localhost:8000/v1",
}
NO_KEY = "none"  # Local servers want one and do not read it.
TOO_LONG = "The passages are longer than {name} reads: ask with a smaller --top-k."
BROKE_OFF = "{name} broke off in the middle."
LISTED = 5  # Models named in a message.


class LLMUnusable(FootnoteError):
    """A language model that cannot be had now; the sentence says why and what to do."""


def load_llm(name: str, url: str | None = None, *, patience: float = PATIENCE) -> LLM:
    """The language model of this name: of a server, or of a folder. Raises LLMUnusable.

    Without `url`, a folder is loaded in this process; else the server of OPENAI_BASE_URL is asked,
    or the one that OPENAI_API_KEY belongs to.
    """
    if url is None and Path(name).is_dir():
        return LocalModel(Path(name), patience=patience)
    url = url or os.environ.get("OPENAI_BASE_URL")
    if url or os.environ.get("OPENAI_API_KEY"):
        return Server(name, url, patience=patience)
    raise LLMUnusable(
        f"It is not said where the model {name} runs: add --llm-url, for Ollama "
        f"{LOCAL_SERVERS['Ollama']}, or name a model folder."
    )


class Server:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, name: str, url: str | None, *, patience: float = PATIENCE) -> None:
        self.name = name
        self.context = SERVER_CONTEXT
        self._patience = patience
        self._client = _client(url, patience)
        self._where = _shown(str(self._client.base_url))

    def count(self, text: str) -> int:
        """The tokens of a text, estimated: only the server has the tokenizer."""
        return int(len(text) / CHARACTERS_A_TOKEN) + 1

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """What the model writes, in pieces. Raises LLMUnusable, in the middle too."""
        import httpx2
        import openai

        told: Any = [{"role": one.role, "content": one.text} for one in messages]
        try:
            with self._client.chat.completions.create(
                model=self.name,
                messages=told,
                temperature=0,
                max_tokens=ANSWER_TOKENS,
                stream=True,
            ) as pieces:
                ended = False
                for piece in pieces:
                    for choice in piece.choices:
                        ended = ended or bool(choice.finish_reason)
                        if choice.delta.content:
                            yield choice.delta.content
            if not ended:
                raise LLMUnusable(BROKE_OFF.format(name=self.name))
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            # ValueError: what came is no JSON.
            raise LLMUnusable(self._reason(error)) from error

    def _reason(self, error: Exception) -> str:
        """Why the server gave no answer, in one sentence, without the server's own words."""
        import httpx2
        import openai

        if isinstance(error, (openai.APITimeoutError, httpx2.TimeoutException)):
            return f"{self.name} sent nothing for {self._patience:g} seconds."
        if isinstance(error, openai.APIConnectionError):
            return f"No language model answers at {self._where}: is the server running?"
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            return f"{self._where} refuses the key: set OPENAI_API_KEY to one that it knows."
        if isinstance(error, openai.NotFoundError):
            named = ", ".join(self._models()[:LISTED])
            return f"{self._where} has no model {self.name}" + (
                f"; it has {named}." * bool(named) or "."
            )
        if isinstance(error, openai.RateLimitError):
            wait = error.response.headers.get("retry-after", "")
            told = f": ask again in {wait} seconds" if wait.isdigit() else " at the moment"
            return f"{self._where} takes no more questions{told}."
        if isinstance(error, openai.BadRequestError) and "context" in str(error).casefold():
            return TOO_LONG.format(name=self.name)
        if isinstance(error, openai.APIStatusError):
            return f"{self._where} failed (status {error.status_code})."
        return BROKE_OFF.format(name=self.name)

    def _models(self) -> list[str]:
        try:
            return models(self._client)
        except LLMUnusable:
            return []


def _client(url: str | None, patience: float) -> "openai.OpenAI":
    import httpx2
    import openai

    key = os.environ.get("OPENAI_API_KEY") or NO_KEY
    try:
        return openai.OpenAI(
            base_url=url,
            api_key=key,
            max_retries=0,  # The extractive answer is there already.
            timeout=openai.Timeout(patience, connect=min(patience, 5.0)),
        )
    except (openai.OpenAIError, httpx2.InvalidURL, ValueError, TypeError) as error:
        raise LLMUnusable(f"{_shown(url or '')} is no address of a server.") from error


def models(client: "openai.OpenAI") -> list[str]:
    """The names of the models that a server has. Raises LLMUnusable."""
    import httpx2
    import openai

    try:
        return sorted(str(model.id) for model in client.models.list().data)
    except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError) as error:
        raise LLMUnusable(f"{_shown(str(client.base_url))} does not tell its models.") from error


def models_at(url: str, patience: float = 2.0) -> list[str]:
    """The names of the models of the server at an address. Raises LLMUnusable."""
    return models(_client(url, patience))


def _shown(url: str) -> str:
    """An address without a user, a password or a query, which may hold a key."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}" if host else url.split("?")[0]


class LocalModel:
    """A model folder, run by transformers in this process; on a GPU where there is one."""

    def __init__(self, folder: Path, *, patience: float = PATIENCE) -> None:
        import torch
        import transformers

        self.name = folder.name
        self._patience = patience
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True
            )
            self._model = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise LLMUnusable(
                f"{folder} holds no language model that transformers can load."
            ) from error
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model.to(self._device).eval()
        longest = getattr(self._model.config, "max_position_embeddings", None) or SERVER_CONTEXT
        self.context = min(int(longest), LOCAL_CONTEXT)

    def count(self, text: str) -> int:
        """The tokens of a text."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """What the model writes, in pieces; a closed stream stops it. Raises LLMUnusable."""
        import transformers

        stopped = Event()
        encoded = self._tokenizer(self._told(messages), return_tensors="pt", truncation=False)
        length = encoded["input_ids"].shape[1]
        if length + 1 >= self.context:
            raise LLMUnusable(TOO_LONG.format(name=self.name))
        pieces = transformers.TextIteratorStreamer(
            self._tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=self._patience
        )
        stop = transformers.StoppingCriteriaList([lambda *_, **__: stopped.is_set()])
        failed: list[Exception] = []

        def generate() -> None:
            try:
                self._model.generate(
                    **encoded.to(self._device),
                    streamer=pieces,
                    do_sample=False,
                    max_new_tokens=min(ANSWER_TOKENS, self.context - length),
                    stopping_criteria=stop,
                )
            except (RuntimeError, ValueError, IndexError) as error:
                failed.append(error)
                pieces.end()

        worker = Thread(target=generate)
        worker.start()
        try:
            yield from pieces
        except OSError as error:
            raise LLMUnusable(BROKE_OFF.format(name=self.name)) from error
        finally:
            stopped.set()
            worker.join()
        if failed:
            raise LLMUnusable(BROKE_OFF.format(name=self.name)) from failed[0]

    def _told(self, messages: Sequence[Message]) -> str:
        told = [{"role": one.role, "content": one.text} for one in messages]
        if not self._tokenizer.chat_template:
            return "\n\n".join(one.text for one in messages) + "\n\nAnswer: "
        text: str = self._tokenizer.apply_chat_template(
            told, tokenize=False, add_generation_prompt=True
        )
        return text
