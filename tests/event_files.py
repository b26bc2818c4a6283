"""Reads the event files of TensorBoard by the description of their format."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event, SessionLog

POLYNOMIAL = 0x82F63B78  # of CRC-32C, reflected


def checksum(content: bytes) -> int:
    """The masked CRC-32C, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(content: bytes) -> Iterator[bytes]:
    """The records of a file: a length, the record, and a checksum after each."""
    while content:
        (size,) = struct.unpack("<Q", content[:8])
        record = content[12 : 12 + size]
        assert struct.unpack("<I", content[8:12]) == (checksum(content[:8]),)
        assert struct.unpack("<I", content[12 + size : 16 + size]) == (checksum(record),)
        yield record
        content = content[16 + size :]


def values_of(folder: Path) -> dict[str, list[tuple[int, Any]]]:
    """The values of each tag with their steps, of all files in order, without what became void."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for path in sorted(folder.iterdir()):
        assert "tfevents" in path.name
        for number, record in enumerate(records(path.read_bytes())):
            event = Event.FromString(record)
            assert (event.file_version == "brain.Event:2") == (number == 0)
            if event.session_log.status == SessionLog.START:
                for tag, kept in found.items():
                    found[tag] = [(step, value) for step, value in kept if step < event.step]
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, _content(value)))
    return {tag: values for tag, values in found.items() if values}


def _content(value: Any) -> Any:
    if value.HasField("histo"):
        return value.histo
    if value.HasField("tensor"):
        return value.tensor.string_val[0].decode()
    return value.simple_value
