"""The gateway: every chat and embedding call of the project goes through this folder.

Endpoints, call store and response cache, limits, prices, the network guard, the embedded server, ONNX sessions and
the download of weights.

User API: Budget, CATALOGUE, CallFailed, CallRecord, CallStore, ChatReply, ChatRequest, Data, Embedder, Endpoint,
FailureReason, Gateway, Message, Price, Weights, WeightsError, embedder, estimate_tokens, fetch, weights_path. It is
documented in docs/api/models.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
