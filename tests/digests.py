"""The checkpoint digest, computed independently from docs/checkpoint-format.md."""

import hashlib
import json
import struct

import numpy as np

DTYPES = {"F32": "float32", "F64": "float64", "I64": "int64", "U8": "uint8", "F16": "float16"}


def digest_of(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    """SHA-256 of a line for each metadata key but the digest, then of each tensor."""
    content = b""
    for key in sorted(metadata):
        if key != "digest":
            content += f"{key}={metadata[key]}\n".encode()
    for name in sorted(tensors):
        tensor = tensors[name]
        content += f"{name} {tensor.dtype} {tensor.shape}\n".encode() + tensor.tobytes("C")
    return hashlib.sha256(content).hexdigest()


def parsed(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors and the metadata of a safetensors file."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, stop = (8 + size + offset for offset in entry["data_offsets"])
        flat = np.frombuffer(content[start:stop], DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata
