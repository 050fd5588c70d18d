import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from word_vectors import WordVectors

from tracejury.retrieval import BrokenIndexError, Document, Finder, Index, Query, open_embedder
from tracejury.retrieval.embedders import embed_queries
from tracejury.traces import Problem


class Embeddings(BaseHTTPRequestHandler):
    """An OpenAI-compatible embeddings endpoint."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        Embeddings.asked.extend(texts)
        rows = WordVectors().embed(texts) * 3
        data = [{"object": "embedding", "index": i, "embedding": r.tolist()} for i, r in enumerate(rows)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        reply = json.dumps({"object": "list", "data": data, "model": body["model"], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


class Pages:
    name, license, version = "pages", "test", "1"

    def documents(self) -> Iterator[Document | Problem]:
        for i in range(5):
            yield Document(source="pages", title="", text=f"Word{i} here.", citation="c", license="l", key=str(i))


def test_an_index_on_an_embeddings_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    Embeddings.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = f"http://127.0.0.1:{server.server_port}/v1#words"
        index = Index.open(tmp_path / "index", name)
        index.build(Pages())
        assert Finder(index, k=1, fusion=False).find([Query(text="word3 here")])[0].hits[0].passage.key == "3"
        vectors = open_embedder(name).embed(["a b", "c", "a b"])
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
        assert np.array_equal(vectors[0], vectors[2])
        asked = len(Embeddings.asked)
        open_embedder(name).embed(["c", "a b"])
        assert len(Embeddings.asked) == asked, "what is in the cache is not asked again"
        assert Index.open(tmp_path / "index").embedder_name == name, "an index knows its embedder"
        server.shutdown()


def test_what_cannot_be_opened_says_why() -> None:
    with pytest.raises(ValueError, match="#MODEL"):
        open_embedder("http://localhost:8000/v1")
    with pytest.raises((ModuleNotFoundError, OSError), match=r"sentence-transformers|nosuch"):
        open_embedder("st:/nosuch/model").embed(["x"])


def save_encoder(folder: Path, seed: int, **sentence_files: Any) -> str:
    """Write a tiny BERT with its tokenizer, and what sentence-transformers writes beside one."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", ":", *(f"word{i}" for i in range(5)), "here", "."]
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=16).save_pretrained(folder)
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=1.0,
    )
    transformers.BertModel(config).save_pretrained(folder)
    for name, content in sentence_files.items():
        path = folder / {"pooling": "1_Pooling/config.json", "prompts": "config_sentence_transformers.json"}[name]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return str(folder)


def test_hub_encoders_of_passages_and_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    articles = save_encoder(tmp_path / "articles", 1)
    queries = save_encoder(tmp_path / "queries", 2)
    name = f"hub:{articles},{queries}"
    both, alone = open_embedder(name), open_embedder(f"hub:{articles}")
    text = ["word1 here"]
    assert np.allclose(both.embed(text), alone.embed(text), atol=1e-6)
    assert np.allclose(embed_queries(both, text), open_embedder(f"hub:{queries}").embed(text), atol=1e-6)
    assert not np.allclose(embed_queries(both, text), both.embed(text), atol=1e-2)
    assert not np.allclose(open_embedder(f"hub:{articles}#mean").embed(text), alone.embed(text), atol=1e-2)
    long = open_embedder(f"hub:{articles}").embed(["word1 " * 12 + "word2 " * 40, "word1 " * 12])
    assert not np.allclose(*long, atol=1e-2), "what stands behind the model's window counts"

    Index.open(tmp_path / "index", name).build(Pages())
    opened = Index.open(tmp_path / "index")
    assert len(Finder(opened, k=5, fusion=False).find([Query(text="word3 here")])[0].hits) == 5
    assert "articles@" in (opened.manifest().embedder_identity or "")
    with pytest.raises(BrokenIndexError, match="was built with"):
        Index.open(tmp_path / "index", f"hub:{articles}")
    shutil.rmtree(queries)
    save_encoder(tmp_path / "queries", 3)
    with pytest.raises(BrokenIndexError, match="bring back those weights"):
        _ = Index.open(tmp_path / "index").embedder


def test_a_hub_encoder_follows_the_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    plain = save_encoder(tmp_path / "plain", 1)
    stated = save_encoder(
        tmp_path / "stated", 1, pooling={"pooling_mode_mean_tokens": True}, prompts={"prompts": {"query": "query: "}}
    )
    text = ["word1 here", "word2 word3 here"]
    assert np.allclose(open_embedder(f"hub:{stated}").embed(text), open_embedder(f"hub:{plain}#mean").embed(text))
    asked = embed_queries(open_embedder(f"hub:{stated}"), text)
    assert np.allclose(asked, open_embedder(f"hub:{plain}#mean").embed([f"query: {t}" for t in text]), atol=1e-6)
    with pytest.raises(ValueError, match="#cls or #mean"):
        open_embedder(f"hub:{plain}#max")
