from .engine import open_engine
from .fences import fence_tag, neutralise, render
from .gateway import Gateway, cache_key
from .guard import BlockedError, close_network, open_network
from .keys import KeyMissingError, redact
from .records import CallFailed, CallRecord, ChatReply, ChatRequest, Data, Endpoint, FailureReason, Message, Price
from .store import CallStore, Spent
from .tokens import estimate_tokens
from .writer import Writer

__all__ = [
    "BlockedError",
    "CallFailed",
    "CallRecord",
    "CallStore",
    "ChatReply",
    "ChatRequest",
    "Data",
    "Endpoint",
    "FailureReason",
    "Gateway",
    "KeyMissingError",
    "Message",
    "Price",
    "Spent",
    "Writer",
    "cache_key",
    "close_network",
    "estimate_tokens",
    "fence_tag",
    "neutralise",
    "open_engine",
    "open_network",
    "redact",
    "render",
]
