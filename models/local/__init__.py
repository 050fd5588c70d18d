"""Models on this machine: the embedded server, ONNX sessions, the embedder, and the weights they need."""
