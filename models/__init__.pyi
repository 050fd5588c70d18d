from .records import CallFailed, CallRecord, ChatReply, ChatRequest, Data, Endpoint, FailureReason, Message, Price

__all__ = [
    "CallFailed",
    "CallRecord",
    "ChatReply",
    "ChatRequest",
    "Data",
    "Endpoint",
    "FailureReason",
    "Message",
    "Price",
]
