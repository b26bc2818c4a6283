"""Hostile files: a fixed collection, and random mutations."""

import json
import os
import pickle
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from charrnn.commands.sample import Sampler
from charrnn.config.layers import load_config
from charrnn.config.settings import Config
from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.setup.loading import load_model
from charrnn.system.resources import config_paths
from charrnn.text.decoding import Decoding
from charrnn.text.reading import read_text
from charrnn.text.text import Text
from charrnn.training.checkpoint import load
from tests.digests import digest_of

Tensors = dict[str, np.ndarray]
Metadata = dict[str, str]
ESCAPE = "\x1b]0;owned\x07\x9b31m"


def opened(path: Path) -> tuple[Tensors, Metadata]:
    """The tensors and metadata of a sound checkpoint."""
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, dict(file.metadata())


def sealed(tensors: Tensors, metadata: Metadata) -> bytes:
    """Saves a checkpoint with arbitrary content and a matching digest."""
    metadata = {key: value for key, value in metadata.items() if key != "digest"}
    return save(tensors, metadata | {"digest": json.dumps(digest_of(tensors, metadata))})


def with_header(header: object, data: bytes = b"") -> bytes:
    """Writes a safetensors file with a given header."""
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + data


def huge(good: Path, path: Path, hidden_size: int) -> None:
    """Writes a sparse checkpoint whose header is consistent; its tensors are zeros."""
    tensors, metadata = opened(good)
    config = json.loads(metadata["config"])
    config["model"] |= {"hidden_size": hidden_size, "bias": False}
    metadata = metadata | {"config": json.dumps(config)}
    A, B = tensors["model.U"].shape[1], len(tensors["state.h"])
    H = hidden_size
    shapes = {"U": (H, A), "W": (H, H), "V": (A, H)}
    wanted = {
        prefix + name: shape
        for prefix in ("model.", "optimizer.m.", "optimizer.v.")
        for name, shape in shapes.items()
    } | {"state.h": (B, H)}
    header: dict[str, object] = {"__metadata__": metadata}
    start = 0
    for name, shape in wanted.items():
        stop = start + 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, stop]}
        start = stop
    path.write_bytes(with_header(header))
    os.truncate(path, path.stat().st_size + start)


def bulky(good: Path, path: Path) -> None:
    """Writes a header of 24 MB of the JSON that takes the most memory per byte."""
    _, metadata = opened(good)
    nothing = "[" + "[]," * 8_000_000 + "[]]"
    path.write_bytes(with_header({"__metadata__": metadata | {"vocabulary": nothing}}))


def hostile_checkpoints(good: Path, folder: Path) -> dict[str, Path]:
    """Invalid checkpoints made from a sound one, by the name of the fault."""
    content = good.read_bytes()
    tensors, metadata = opened(good)
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    witness = folder / "executed"

    class Executed:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(witness),)

    def changed(**values: object) -> bytes:
        written = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}
        return sealed(tensors, metadata | written)

    def config(**sections: dict[str, object]) -> bytes:
        values = json.loads(metadata["config"])
        for section, keys in sections.items():
            values[section] = values[section] | keys
        return changed(config=values)

    def progress(**values: object) -> bytes:
        return changed(progress=json.loads(metadata["progress"]) | values)

    def shaped(change: Callable[[Tensors], object]) -> bytes:
        copies = {name: array.copy() for name, array in tensors.items()}
        change(copies)
        return sealed(copies, metadata)

    def without(key: str) -> bytes:
        return sealed(tensors, {k: v for k, v in metadata.items() if k != key})

    characters = json.loads(metadata["vocabulary"])
    half = np.float16
    many = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(50_000)}
    contents = {
        "empty": b"",
        "seven-bytes": content[:7],
        "text": b"To be, or not to be",
        "pickle": pickle.dumps(Executed()),
        "pickle-in-zip": b"PK\x03\x04" + pickle.dumps(Executed()),
        "truncated": content[: len(content) // 2],
        "last-byte-missing": content[:-1],
        "one-byte-more": content + b"\0",
        "header-cut": content[:100],
        "header-endless": struct.pack("<Q", 2**64 - 1) + content[8:],
        "header-of-90-MB": struct.pack("<Q", 90 << 20) + content[8:],
        "header-zero": struct.pack("<Q", 0) + content[8:],
        "header-nested": with_header(b"[" * 100_000),
        "header-no-unicode": with_header(b'{"\xff": 1}'),
        "header-escapes": with_header({ESCAPE: {"dtype": ESCAPE, "shape": [], "data_offsets": []}}),
        "tensors-many": with_header({"__metadata__": metadata} | many),
        "shape-overflows": with_header(
            {"t": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}
        ),
        "shape-immense-and-empty": with_header(
            header | {"state.h": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}},
            data,
        ),
        "bit-flipped": content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
        "foreign": save({"model.U": tensors["model.U"]}),
        "foreign-metadata": save(tensors, {"format": "pt"}),
        "metadata-no-json": changed(progress="{"),
        "metadata-nested": changed(progress="[" * 100_000),
        "metadata-nan": progress(seconds=float("nan")),
        "metadata-infinite": progress(loss_sum=float("inf")),
        "metadata-overflows": changed(
            progress=metadata["progress"].replace('"loss_sum": ', '"loss_sum": 1e999, "x": ')
        ),
        "metadata-long-number": changed(optimizer_count="9" * 100_000),
        "version-other": changed(version=99),
        "version-nested": changed(version=[[[[[[ESCAPE]]]]]]),
        "digest-missing": save(tensors, {k: v for k, v in metadata.items() if k != "digest"}),
        "digest-wrong": save(tensors, metadata | {"digest": '"00"'}),
        "digest-other-type": save(tensors, metadata | {"digest": "[]"}),
        "vocabulary-missing": without("vocabulary"),
        "vocabulary-string": changed(vocabulary=json.dumps("".join(characters))),
        "vocabulary-number": changed(vocabulary=7),
        "vocabulary-numbers": changed(vocabulary=list(range(len(characters)))),
        "vocabulary-words": changed(vocabulary=["ab", "", *characters[2:]]),
        "vocabulary-twice": changed(vocabulary=["a", *characters[1:-1], "a"]),
        "vocabulary-surrogate": changed(vocabulary=["\ud800", *characters[1:]]),
        "vocabulary-short": changed(vocabulary=characters[1:]),
        "vocabulary-empty": changed(vocabulary=[]),
        "vocabulary-nested": changed(vocabulary=[[[ESCAPE]], *characters[1:]]),
        "count-string": changed(optimizer_count='"x"'),
        "count-negative": changed(optimizer_count=-1),
        "count-infinite": changed(optimizer_count="1e400"),
        "count-immense": changed(optimizer_count=2**63),
        "count-true": changed(optimizer_count=True),
        "progress-immense": progress(characters=10**4000),
        "progress-negative": progress(step=-1),
        "progress-string": progress(step=ESCAPE),
        "progress-unknown": progress(**{ESCAPE: 1}),
        "progress-list": changed(progress=[1]),
        "text-digest-number": changed(text_digest=1),
        "text-digest-escapes": changed(text_digest=json.dumps(ESCAPE)),
        "config-empty": changed(config={}),
        "config-list": changed(config=[]),
        "config-no-hidden-size": config(model={"hidden_size": 0}),
        "config-huge-hidden-size": config(model={"hidden_size": 10**4000}),
        "config-other-hidden-size": config(model={"hidden_size": 17}),
        "config-no-layers": config(model={"layers": 0}),
        "config-more-layers": config(model={"layers": 2}),
        "config-huge-layers": config(model={"layers": 10**4000}),
        "config-layers-string": config(model={"layers": ESCAPE}),
        "config-dropout": config(model={"dropout": 1.0}),
        "version-2-with-layers": changed(version=2),
        "config-bias-missing": config(model={"bias": False}),
        "config-bias-string": config(model={"bias": "yes"}),
        "config-activation": config(model={"activation": ESCAPE}),
        "config-unknown-keys": config(model={f"{ESCAPE}{i}": 1 for i in range(10_000)}),
        "config-precision": config(training={"precision": "float64"}),
        "config-batch-size": config(training={"batch_size": 5}),
        "config-optimizer": config(optimizer={"name": "sgd"}),
        "config-evaluations": config(evaluation={"count": 10**300}),
        "config-text-nul": config(data={"text": ["a\0b"]}),
        "config-text-surrogate": config(data={"text": ["\ud800"]}),
        "tensor-missing": shaped(lambda t: t.pop("model.V")),
        "bias-missing": shaped(lambda t: t.pop("model.b")),
        "state-missing": shaped(lambda t: t.pop("state.h")),
        "state-flat": shaped(lambda t: t.update({"state.h": t["state.h"][0]})),
        "state-scalar": shaped(lambda t: t.update({"state.h": np.zeros((), np.float32)})),
        "state-wide": shaped(lambda t: t.update({"state.h": np.tile(t["state.h"], 2)})),
        "state-empty": shaped(lambda t: t.update({"state.h": t["state.h"][:0]})),
        "tensor-unexpected": shaped(lambda t: t.update({ESCAPE: t["model.b"]})),
        "slot-unexpected": shaped(lambda t: t.update({"optimizer.": t["model.b"]})),
        "slot-incomplete": shaped(lambda t: t.pop("optimizer.m.U")),
        "tensor-transposed": shaped(lambda t: t.update({"model.U": t["model.U"].T.copy()})),
        "tensor-nan": shaped(lambda t: t["model.W"].fill(np.nan)),
        "slot-infinite": shaped(lambda t: t["optimizer.v.W"].fill(np.inf)),
        "state-nan": shaped(lambda t: t["state.h"].fill(np.nan)),
        "types-mixed": shaped(lambda t: t.update({"model.c": t["model.c"].astype(np.float64)})),
        "types-integer": shaped(
            lambda t: t.update({n: np.zeros(a.shape, np.int32) for n, a in t.items()})
        ),
        "types-half": shaped(lambda t: t.update({n: a.astype(half) for n, a in t.items()})),
        "types-bfloat16": content.replace(b'"F32","shape"', b'"BF16","shape"'),
    }
    paths = {}
    for name, damaged in contents.items():
        paths[name] = folder / f"{name}.safetensors"
        paths[name].write_bytes(damaged)
    for name, size in (("sparse-terabyte", 1 << 40), ("sparse-exabyte", 1 << 60)):
        paths[name] = folder / f"{name}.safetensors"
        paths[name].write_bytes(content)
        try:
            os.truncate(paths[name], size)
        except OSError:  # longer than the file system allows
            del paths[name]
    paths["fifo"], paths["directory"] = folder / "fifo.safetensors", folder / "directory"
    os.mkfifo(paths["fifo"])
    paths["directory"].mkdir()
    paths["device"] = Path("/dev/zero")
    paths["dangling"] = folder / f"{ESCAPE}\nhint:  run rm.safetensors"
    paths["dangling"].symlink_to(folder / "nowhere")
    return paths


def hostile_configs(folder: Path) -> dict[str, Path]:
    """Invalid configs, by the name of the fault."""
    digits = "F" * 4000
    contents = {
        "tag": f"!!python/object/apply:os.mkdir [{folder / 'executed'}]",
        "tag-int": "training: {seed: !!int ''}",
        "tag-bool": "model: {bias: !!bool x}",
        "tag-time": "data: {text: !!timestamp x}",
        "tag-binary": "data: {text: [!!binary aGk=]}",
        "date": "training: {seed: 2001-01-01}",
        "value": "training: {seed: =}",
        "merge": "training: {<<: {seed: 1}}",
        "laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
        "itself": "training: &t {seed: *t}",
        "brackets": "a: " + "[" * 1_000_000,
        "braces": "{" * 1_000_000,
        "keys": "".join(f"k{i}: 1\n" for i in range(90_000)),
        "keys-unknown": "".join(f"k{i}: 1\n" for i in range(5_000)),
        "keys-alike": "a: 1\n" * 9_000,
        "items": "data: {text: [" + "1," * 9_000 + "]}",
        "scalar": "data: {text: " + "x" * 1_000_000 + "}",
        "large": "#" * (1 << 21),
        "endless-number": f"training: {{seed: 0x{digits}, workers: 0x{digits}}}",
        "endless-float": f"optimizer: {{learning_rate: 0x{digits}}}",
        "endless-no-number": f"model: {{bias: 0x{digits}}}",
        "sexagesimal": "training: {max_steps: 1" + ":1" * 2000 + "}",
        "overflow": "training: {max_steps: 1e308}",
        "nan": "optimizer: {learning_rate: .nan}",
        "infinite": "training: {max_time: .inf}",
        "infinite-number": "training: {clip: {threshold: 1e999}}",
        "nul": 'data: {text: ["a\\0b"]}',
        "surrogate": 'data: {text: ["\\ud800"]}',
        "escapes": 'model: {"\\e]0;owned\\a\\x9b31m\\nerror: x": 1}',
        "raw-escapes": ESCAPE,
        "no-unicode": b"\xff\xfe\x00",
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.yaml"
        raw = content if isinstance(content, bytes) else content.encode()
        paths[name].write_bytes(raw)
    paths["sparse"] = folder / "sparse.yaml"
    paths["sparse"].touch()
    os.truncate(paths["sparse"], 1 << 40)
    paths["fifo"] = folder / "fifo.yaml"
    os.mkfifo(paths["fifo"])
    paths["directory"], paths["device"] = folder, Path("/dev/zero")
    return paths


def mutated(content: bytes, random: Random) -> bytes:
    """The bytes of a file, randomly damaged."""
    raw = bytearray(content)

    def place() -> int:
        return random.randrange(len(raw)) if raw else 0

    for _ in range(random.choice((1, 1, 2, 8))):
        kind, start, stop = random.randrange(5), *sorted((place(), place()))
        if kind == 0 and raw:
            raw[start] ^= 1 << random.randrange(8)
        elif kind == 1:
            del raw[start:]
        elif kind == 2:
            del raw[start : min(stop, start + 16)]
        elif kind == 3:
            raw[start:start] = raw[start : min(stop, start + 64)]
        elif raw:  # in the header, which safetensors parses
            raw[min(start, 8 + start % 4000, len(raw) - 1)] = random.choice(b'0189{}[]",:-e\\\x1b')
    return bytes(raw)


VALUES: list[object] = [
    None, True, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "x",
    ESCAPE, "\ud800", [], [1], {}, {"name": "sgd"},
]  # fmt: skip


def resealed(good: Path, random: Random) -> bytes:
    """A checkpoint with randomly altered content and a matching digest."""
    tensors, metadata = opened(good)
    if random.random() < 0.7:
        key = random.choice(sorted(metadata.keys() - {"digest"}))
        metadata[key] = json.dumps(_altered(json.loads(metadata[key]), random))
    else:
        name = random.choice(sorted(tensors))
        array = tensors.pop(name).copy()
        kind = random.randrange(5)
        if kind == 0:
            array.flat[random.randrange(array.size)] = random.choice((np.nan, np.inf, 3e38, 0))
        elif kind == 1:
            array = array[..., :-1].copy()
        elif kind == 2:
            array = array.astype(random.choice(("f2", "f8", "i4", "u1", "?")))
        elif kind == 3:
            name += random.choice(("", ".", "x", ESCAPE))
        if kind < 4:
            tensors[name] = array
    return sealed(tensors, metadata)


def _altered(value: object, random: Random) -> object:
    """A JSON value with a random part replaced."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(sorted(value))
        return value | {key: _altered(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        return [*value[:place], _altered(value[place], random), *value[place + 1 :]]
    return random.choice(VALUES)


def check_damage(good: Path, path: Path, random: Random) -> None:
    """Checks that a damaged checkpoint is refused or loads as what was saved."""
    path.write_bytes(mutated(good.read_bytes(), random))
    with suppress(InputError):
        load(path)
        (tensors, metadata), (expected, own) = opened(path), opened(good)
        assert metadata == own
        assert {name: array.tobytes() for name, array in tensors.items()} == {
            name: array.tobytes() for name, array in expected.items()
        }


def check_malice(good: Path, path: Path, random: Random) -> None:
    """Checks that a forged checkpoint is refused or usable for sampling."""
    path.write_bytes(resealed(good, random))
    with suppress(InputError):
        load_model(str(path))
        with suppress(CharrnnError):  # only an overflow may end it
            for text in Sampler(str(path), length=3).texts(2):
                "".join(text).encode()


def check_config(good: Path, path: Path, random: Random) -> None:
    """Checks that a damaged config is refused or valid."""
    content = config_paths()["default"].read_bytes().replace(b"  # ", b"\n  # ")
    path.write_bytes(mutated(content, random))
    with suppress(UsageError):
        assert isinstance(load_config(str(path), [], {}), Config)


def check_text(good: Path, path: Path, random: Random) -> None:
    """Checks that a damaged text is refused or read as characters that can be encoded."""
    encoding = random.choice(["utf-8", "utf-16", "latin-1", "shift_jis", "gb18030", "utf-32-be"])
    text = "Äh, 山の上に。\r\n☃ e\u0301\r\x00" * 9
    path.write_bytes(mutated(text.encode(encoding, "replace"), random))
    read_as = random.choice([encoding, encoding, "utf-8", "cp1252"])
    decoding = Decoding(
        read_as, random.choice(["strict", "replace"]), random.choice(["normal", "keep"])
    )
    with suppress(InputError):
        read = str(read_text([str(path)], decoding).text)
        assert Text.of(read).digest() == Text.of(read.encode().decode()).digest()
        assert "\x00" not in read


CHECKS = (check_damage, check_malice, check_config, check_text)
