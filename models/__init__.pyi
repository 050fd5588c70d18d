from .adaptations import Adaptations
from .batches import BatchProgress
from .budget import Budget
from .cachekey import cache_key
from .fences import fence_tag, look_alikes, neutralise, render
from .gateway import ClientKey, Gateway
from .guard import BlockedError, close_network, is_loopback_url, open_network
from .keys import KeyMissingError, api_key, redact
from .leased import LeasedLimiter
from .leases import LeaseBook, LimitBounds, LimitGrant, LimitReport
from .limits import Limit
from .local.catalogue import CATALOGUE, Weights
from .local.embedder import Embedder, MiniLM, VectorCache, embedder
from .local.errors import WeightsError
from .local.machine import available_bytes, free_cores
from .local.onnx import onnx_session
from .local.server import EmbeddedServer, EmbeddedServerError
from .local.weights import (
    BEST_FETCHED,
    best_fetched,
    cache_dir,
    fetch,
    fetched_from_hub,
    is_fetched,
    weights_digest,
    weights_path,
)
from .offline import ImportTally, OfflineGateway, PendingRequest, import_answers
from .parsing import parse_reply
from .pricing import price_of
from .probing import ProbeCache, ProbeResult
from .records import (
    CallFailed,
    CallRecord,
    ChatReply,
    ChatRequest,
    Data,
    Endpoint,
    FailureReason,
    Message,
    Price,
    ToolCall,
)
from .refusals import Hopeless
from .remedies import remedy_for
from .rendered_prompts import PromptMessage, read_prompts
from .secrets_in_text import secret_settings
from .served import ModelUnknownError, served_model
from .special_tokens import TokenizerError, special_tokens
from .store import CallSink, CallStore, CallTotals, RunSpending
from .tables import CALL_TABLES
from .tokens import estimate_tokens, least_tokens
from .tracing import TracingOffWarning, tracing_notice, untraced, unwanted_tracing

__all__ = [
    "BEST_FETCHED",
    "CALL_TABLES",
    "CATALOGUE",
    "Adaptations",
    "BatchProgress",
    "BlockedError",
    "Budget",
    "CallFailed",
    "CallRecord",
    "CallSink",
    "CallStore",
    "CallTotals",
    "ChatReply",
    "ChatRequest",
    "ClientKey",
    "Data",
    "EmbeddedServer",
    "EmbeddedServerError",
    "Embedder",
    "Endpoint",
    "FailureReason",
    "Gateway",
    "Hopeless",
    "ImportTally",
    "KeyMissingError",
    "LeaseBook",
    "LeasedLimiter",
    "Limit",
    "LimitBounds",
    "LimitGrant",
    "LimitReport",
    "Message",
    "MiniLM",
    "ModelUnknownError",
    "OfflineGateway",
    "PendingRequest",
    "Price",
    "ProbeCache",
    "ProbeResult",
    "PromptMessage",
    "RunSpending",
    "TokenizerError",
    "ToolCall",
    "TracingOffWarning",
    "VectorCache",
    "Weights",
    "WeightsError",
    "api_key",
    "available_bytes",
    "best_fetched",
    "cache_dir",
    "cache_key",
    "close_network",
    "embedder",
    "estimate_tokens",
    "fence_tag",
    "fetch",
    "fetched_from_hub",
    "free_cores",
    "import_answers",
    "is_fetched",
    "is_loopback_url",
    "least_tokens",
    "look_alikes",
    "neutralise",
    "onnx_session",
    "open_network",
    "parse_reply",
    "price_of",
    "read_prompts",
    "redact",
    "remedy_for",
    "render",
    "secret_settings",
    "served_model",
    "special_tokens",
    "tracing_notice",
    "untraced",
    "unwanted_tracing",
    "weights_digest",
    "weights_path",
]
