"""A real engine: a tiny model, made here, behind `transformers serve` and in this process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from index import Index
from rag.answer import ask
from rag.llm import load_llm, models_at
from rag.types import LLM, Message
from tests.pages import unused_port

WORDS = 400  # In its vocabulary.
MARKS = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
QUESTION = "How many steps does the fish ladder at Corrach have?"
STARTED = 90  # Seconds within which the engine must listen.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a language model that babbles."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tokenizer = Tokenizer(models.BPE(**{"unk_token": "<unk>"}))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(["The mill was built in 1742 [1]. It ground rye."], trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **MARKS)
    wrapped.chat_template = "{% for one in messages %}{{ one['content'] }}\n{% endfor %}"
    wrapped.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def engine(tiny: Path) -> Iterator[str]:
    """The address of `transformers serve` with the tiny model."""
    port = unused_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(tiny)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    process = subprocess.Popen(
        [*command, *options],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(STARTED * 10):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def babble(llm: LLM) -> str:
    words = ""
    for piece in llm.stream([Message("user", "Say something.")]):
        words += piece
        if len(words) > 50:
            break
    return words


def test_a_real_client_meets_a_real_server(tiny: Path, engine: str, sample: Index) -> None:
    llm = load_llm(str(tiny), engine, patience=60)
    assert babble(llm)
    *_, answer = ask(QUESTION, sample, llm=llm)
    assert answer.answered
    assert answer.short_answer == "44"
    assert "These are the articles' own words." in answer.note


def test_a_model_folder_runs_in_this_process(tiny: Path, sample: Index) -> None:
    llm = load_llm(str(tiny))
    assert llm.name == "tiny"
    assert llm.count("The mill was built.") > 3
    assert babble(llm)
    *_, answer = ask(QUESTION, sample, llm=llm)
    assert answer.answered
    assert answer.citations


def test_an_address_without_models_is_told(engine: str) -> None:
    wrong = engine.replace("/v1", "/nowhere")
    with pytest.raises(Exception, match="does not tell its models"):
        models_at(wrong)
