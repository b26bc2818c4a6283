"""Runs that start from weights in a file that is not a checkpoint."""

import json
import os
import pickle
from contextlib import suppress
from pathlib import Path
from random import Random
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.interchange.vocabulary_file import read_vocabulary
from charrnn.interchange.weights import read_weights
from charrnn.model.params import Params
from charrnn.training.checkpoint import Checkpoint, load
from charrnn.training.tensor_file import MAX_TENSORS
from tests.conftest import RHYME, TINY, UNSIZED
from tests.hostile import ESCAPE, VALUES, mutated, with_header
from tests.test_export import CHARACTERS, H, export, model_of
from tests.test_hostile import assert_a_sentence

ALPHABET = sorted(set(RHYME))
A = len(ALPHABET)


def best(run: str | Path) -> Checkpoint:
    return load(Path(run) / "checkpoints/best.safetensors")


def theirs(prefix: str = "rnn.", output: str = "linear.", *, layers: int = 1) -> dict[str, Array]:
    """Tensors as torch.nn.RNN and torch.nn.Linear name them, with both biases."""
    random = np.random.default_rng(7)

    def normal(*shape: int) -> Array:
        return random.normal(0, 0.3, shape).astype(np.float32)

    tensors = {output + "weight": normal(A, H), output + "bias": normal(A)}
    for n in range(layers):
        tensors |= {
            f"{prefix}weight_ih_l{n}": normal(H, H if n else A),
            f"{prefix}weight_hh_l{n}": normal(H, H),
            f"{prefix}bias_ih_l{n}": normal(H),
            f"{prefix}bias_hh_l{n}": normal(H),
        }
    return tensors


def split(content: bytes) -> tuple[dict[str, object], bytes]:
    """The header of a safetensors file, and the bytes after it."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def named(params: Params) -> dict[str, Array]:
    return dict(params.named())


@pytest.fixture
def start(charrnn, text_file):
    """Runs `charrnn train --init-from` without a step."""

    def run(*arguments: object):
        common = ["train", text_file, *UNSIZED, "--max-steps", 0]
        return charrnn(*common, "--out", "run", "--init-from", *arguments)

    return run


@pytest.fixture
def stoi() -> str:
    Path("stoi.json").write_text(json.dumps({c: i for i, c in enumerate(ALPHABET)}))
    return "stoi.json"


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_export_reads_back_bit_for_bit(kind, layers, bias, precision) -> None:
    """Negative zeros too, which a sum with the other bias would lose."""
    model = model_of("relu", layers, bias, precision)
    model.params.flat[::5] = -0.0
    export(model, f"model.{kind}")
    network = read_weights(Path(f"model.{kind}"))
    assert network.params.layout.slices == model.params.layout.slices
    assert network.params.dtype == precision
    assert network.params.flat.tobytes() == model.params.flat.tobytes()
    assert network.vocabulary == model.vocabulary
    assert network[2:] == ("relu", "stream", 1)


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
@pytest.mark.parametrize("parent", ["trained", "stacked"])
def test_a_run_from_an_export_begins_as_one_from_the_checkpoint(
    charrnn, request, start, kind, parent
) -> None:
    """The same weights and settings, so that a prompt is continued by the same text."""
    trained, exported = request.getfixturevalue(parent), f"model.{kind}"
    assert charrnn("export", trained, exported).code == 0
    assert start(exported).code == 0
    old, new = best(trained), best("run")
    assert new.params.flat.tobytes() == old.params.flat.tobytes()
    assert new.vocabulary == old.vocabulary
    sizes = ("hidden_size", "layers", "bias", "activation")
    assert [new.config["model"][key] for key in sizes] == [
        old.config["model"][key] for key in sizes
    ]
    assert new.config["model"]["init_from"] == str(Path(exported).absolute())
    greedy = ["--prime", "The ", "-n", 60, "-t", 0]
    assert charrnn("sample", "run", *greedy).out == charrnn("sample", trained, *greedy).out
    Path(exported).unlink()
    resumed = charrnn("train", "--resume", "run", "--max-steps", 2)
    assert resumed.code == 0, resumed.err


def test_an_archive_in_the_form_for_large_files_is_read(monkeypatch) -> None:
    """Zip64, which archives of more than 4 GB have."""
    monkeypatch.setattr("zipfile.ZIP_FILECOUNT_LIMIT", 1)
    model = model_of()
    export(model, "model.npz")
    assert b"PK\x06\x06" in Path("model.npz").read_bytes()
    assert np.array_equal(read_weights(Path("model.npz")).params.flat, model.params.flat)


def test_the_reading_of_a_lines_model_comes_along(charrnn, text_file, start) -> None:
    lines = ["--set", "data.sequences=lines", "--set", "training.window=64"]
    lines += ["--set", "data.min_count=3", "--set", "training.precision=float64"]
    assert charrnn("train", text_file, *TINY, *lines, "--max-steps", 1, "--out", "old").code == 0
    assert charrnn("export", "old", "model.npz").code == 0
    assert start("model.npz").code == 0
    old, new = best("old").config, best("run").config
    assert new["data"]["sequences"] == "lines"
    assert new["data"]["min_count"] == 3
    assert new["training"]["precision"] == old["training"]["precision"] == "float64"


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    ("prefix", "output"),
    [("rnn.", "linear."), ("model.rnn.", "decoder."), ("", "fc.out."), ("", "")],
)
def test_pytorchs_names_with_any_prefix(start, stoi, layers, prefix, output) -> None:
    tensors = theirs(prefix, output, layers=layers)
    save_file(tensors, "theirs.safetensors", {"format": "pt"})
    found = start("theirs.safetensors", "--vocabulary", stoi)
    assert found.code == 0, found.err
    assert "does not name its activation: tanh is used" in found.err
    model = best("run")
    assert model.config["model"]["vocabulary"] == str(Path(stoi).absolute())
    got = named(model.params)
    for n, suffix in enumerate(model.params.layout.suffixes):
        ours = {"U": "weight_ih", "W": "weight_hh"}
        for name, their_name in ours.items():
            assert np.array_equal(got[name + suffix], tensors[f"{prefix}{their_name}_l{n}"])
        both = tensors[f"{prefix}bias_ih_l{n}"] + tensors[f"{prefix}bias_hh_l{n}"]
        assert np.array_equal(got["b" + suffix], both)
    assert np.array_equal(got["V"], tensors[f"{output}weight"])
    assert np.array_equal(got["c"], tensors[f"{output}bias"])


def test_a_vocabulary_in_the_metadata_is_enough(start) -> None:
    save_file(theirs(), "theirs.safetensors", {"vocabulary": json.dumps(ALPHABET)})
    found = start("theirs.safetensors", "--set", "model.activation=relu")
    assert found.code == 0, found.err
    assert best("run").config["model"]["activation"] == "relu"


@pytest.mark.parametrize(
    ("left_out", "zero"), [("linear.bias", "c"), ("rnn.bias", "b"), ("bias", None)]
)
def test_biases_may_be_missing(start, stoi, left_out, zero) -> None:
    """One that only one side has is zero on the other."""
    tensors = {name: array for name, array in theirs().items() if left_out not in name}
    save_file(tensors, "theirs.safetensors")
    assert start("theirs.safetensors", "--vocabulary", stoi).code == 0
    got = named(best("run").params)
    assert ("b" in got) == ("c" in got) == (zero is not None)
    if zero:
        assert not got.pop(zero).any()
    assert all(array.any() for array in got.values())


def test_half_precision_is_exact(stoi) -> None:
    """float16 and bfloat16 become float32 without rounding; one float64 makes all float64."""
    tensors = theirs()
    half = {name: array.astype(np.float16) for name, array in tensors.items()}
    save_file(half, "half.safetensors")
    params = read_weights(Path("half.safetensors")).params
    assert params.dtype == np.float32
    assert np.array_equal(params.V, half["linear.weight"])
    bits = {name: (array.view("u4") >> 16).astype("u2") for name, array in tensors.items()}
    header, data = split(save(bits))
    header = json.loads(json.dumps(header).replace('"U16"', '"BF16"'))
    Path("brain.safetensors").write_bytes(with_header(header, data))
    params = read_weights(Path("brain.safetensors")).params
    cut = (tensors["linear.weight"].view("u4") & 0xFFFF0000).view("f4")
    assert np.array_equal(params.V, cut)
    tensors["linear.bias"] = tensors["linear.bias"].astype(np.float64) + 1e-12
    save_file(tensors, "mixed.safetensors")
    assert np.array_equal(read_weights(Path("mixed.safetensors")).params.c, tensors["linear.bias"])


ITOS = dict(enumerate(CHARACTERS))
STOI = {character: id for id, character in ITOS.items()}


@pytest.mark.parametrize(
    "document",
    [list(CHARACTERS), CHARACTERS, STOI, ITOS, {"stoi": STOI, "itos": ITOS, "vocab_size": 5}],
)
def test_vocabularies_in_json(document) -> None:
    """As tutorials have it, with and without escapes, and with a byte order mark."""
    for mark, ascii in (("", True), ("", False), ("\ufeff", False)):
        Path("v.json").write_text(mark + json.dumps(document, ensure_ascii=ascii), "utf-8")
        assert read_vocabulary("v.json").characters == CHARACTERS


def test_a_text_is_a_vocabulary_in_sorted_order(start, text_file) -> None:
    assert read_vocabulary(str(text_file)).characters == "".join(ALPHABET)
    Path("-").write_bytes(b"b\r\na")
    assert read_vocabulary("-").characters == "\nab"
    save_file(theirs(), "theirs.safetensors")
    assert start("theirs.safetensors", "--vocabulary", text_file).code == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"a": 0, "b": 0}, "two characters have the same id"),
        ({"a": 0, "b": 2}, "it has the id 2; its 2 characters need the ids from 0 up"),
        ({"a": 0, "b": -1}, "it has the id -1"),
        ({"a": 0, "b": 1.0}, "it has the id '1.0'"),
        ({"a": 0, "b": True}, "it has the id 'True'"),
        ({"0": "a", "x": "b"}, "it has the id 'x'"),
        ({"<pad>": 0, "b": 1}, "'<pad>' in the vocabulary is not a character"),
        (["a", "a"], "has a character twice"),
        (["a", "\ud800"], "is not a character"),
        ([], "is not a list of characters"),
        ({}, "is not a list of characters"),
        (7, "neither a list nor an object"),
        ([["a"]], "is not a character"),
    ],
)
def test_what_is_no_vocabulary(document, message) -> None:
    Path("v.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"v\.json is not a vocabulary") as caught:
        read_vocabulary("v.json")
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 100_000, b"NaN", b"[1e999]"])
def test_what_is_no_json(content) -> None:
    Path("v.json").write_bytes(content)
    with pytest.raises(InputError, match=r"v\.json is not a vocabulary"):
        read_vocabulary("v.json")


def test_what_is_no_file_is_no_vocabulary() -> None:
    Path("folder.json").mkdir()
    os.mkfifo("pipe.json")  # which nobody writes to
    for name in ("folder.json", "pipe.json"):
        with pytest.raises(InputError, match="cannot be read: it is not a regular file"):
            read_vocabulary(name)


def changed(**changes: Array | None) -> dict[str, Array]:
    """Their tensors, some replaced, added or (None) left out; `__` stands for a dot."""
    tensors = theirs() | {name.replace("__", "."): array for name, array in changes.items()}
    return {name: array for name, array in tensors.items() if array is not None}


ZEROS = np.zeros
FAULTS: dict[str, tuple[dict[str, Array], str]] = {
    "lstm": (changed(rnn__weight_hh_l0=ZEROS((4 * H, H), "f4")), "its network is an LSTM"),
    "gru": (changed(rnn__weight_hh_l0=ZEROS((3 * H, H), "f4")), "its network is a GRU"),
    "projected": (changed(rnn__weight_hr_l0=ZEROS((H, H), "f4")), "its network is an LSTM"),
    "two-way": (changed(rnn__weight_ih_l0_reverse=ZEROS((H, A), "f4")), "is bidirectional"),
    "two": (changed(other__weight_ih_l0=ZEROS((H, A), "f4")), "several recurrent networks"),
    "none": ({"linear.weight": ZEROS((A, H), "f4")}, "no tensor named weight_ih_l0"),
    "no-output": (changed(linear__weight=None, linear__bias=None), "one output matrix (33, 7)"),
    "two-outputs": (changed(head__weight=ZEROS((A, H), "f4")), "and has several"),
    "norm": (changed(norm__weight=ZEROS(H, "f4")), "it has also 'norm.weight'"),
    "embedding": (changed(emb__weight=ZEROS((9, A), "f4")), "reads an embedding, 'emb.weight'"),
    "layer-left-out": (changed(rnn__weight_ih_l2=ZEROS((H, H), "f4")), "it lacks 'rnn.bias_hh_l1'"),
    "half-a-bias": (changed(rnn__bias_hh_l0=None), "it lacks 'rnn.bias_hh_l0'"),
    "transposed": (changed(linear__weight=ZEROS((H, A), "f4")), "shape (7, 33), not (33, 7)"),
    "empty": (changed(rnn__weight_ih_l0=ZEROS((H, 0), "f4")), "no matrix 'rnn.weight_ih_l0'"),
    "nan": (changed(linear__bias=np.full(A, np.nan, "f4")), "'linear.bias' is not finite"),
    "sum-overflows": (
        changed(**{f"rnn__bias_{of}_l0": np.full(H, 3e38, "f4") for of in ("ih", "hh")}),
        "the sum of two biases' is not finite",
    ),
    "integers": (changed(linear__bias=ZEROS(A, "i4")), "type I32, not one of F16"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_another_network_is_refused_with_the_reason(start, stoi, name) -> None:
    tensors, message = FAULTS[name]
    save_file(tensors, "theirs.safetensors")
    found = start("theirs.safetensors", "--vocabulary", stoi)
    assert found.code == 3
    assert message.replace("33", str(A)) in found.err
    assert "torch.nn.RNN" in found.err
    assert_a_sentence(found.err)
    assert not Path("run").exists()


def test_a_vocabulary_that_does_not_fit(charrnn, start, trained, stoi) -> None:
    save_file(theirs(), "theirs.safetensors")
    none = start("theirs.safetensors")
    assert (none.code, "--vocabulary vocabulary.json" in none.err) == (2, True)
    Path("short.json").write_text(json.dumps(ALPHABET[1:]))
    short = start("theirs.safetensors", "--vocabulary", "short.json")
    assert short.code == 3
    assert f"weights for {A} characters, but short.json has {A - 1}" in short.err
    missing = start("theirs.safetensors", "--vocabulary", "nowhere.json")
    assert (missing.code, "no vocabulary 'nowhere.json'" in missing.err) == (3, True)
    Path("other.json").write_text(json.dumps(ALPHABET[::-1]))
    assert charrnn("export", trained, "ours.npz").code == 0
    for parent in ("ours.npz", trained):
        assert start(parent, "--vocabulary", "other.json").code == 2
    assert start("ours.npz", "--vocabulary", stoi).code == 0
    alone = charrnn("train", "--vocabulary", stoi)
    assert (alone.code, "needs --init-from" in alone.err) == (2, True)


def test_inspect_takes_weights_too(charrnn, text_file, stoi) -> None:
    save_file(theirs(layers=2), "theirs.safetensors")
    arguments = ["--init-from", "theirs.safetensors", "--vocabulary", stoi, "--json"]
    found = charrnn("inspect", text_file, *arguments)
    assert found.code == 0, found.err
    assert (json.loads(found.out)["hidden_size"], json.loads(found.out)["layers"]) == (H, 2)


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_an_export_is_no_checkpoint(charrnn, trained, text_file, kind) -> None:
    """And the error says what it is good for."""
    assert charrnn("export", trained, f"model.{kind}").code == 0
    for command in (
        ("sample",),
        ("inspect",),
        ("eval", text_file),
        ("gradflow",),
        ("export", "x.npz"),
    ):
        found = charrnn(command[0], f"model.{kind}", *command[1:])
        assert found.code == 3
        if command[0] != "inspect" or kind == "safetensors":
            assert "export" in found.err
            assert f"charrnn train TEXT --init-from model.{kind}" in found.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.pt", "a pickle may execute any code"),
        ("model.onnx", "an ONNX model is written, but not read"),
        ("objects.npz", "it is not an .npz file"),
        ("compressed.npz", "it is compressed; save it with numpy.savez"),
        ("text.npz", "it is not an .npz file"),
        ("empty.npz", "it is empty"),
        ("lacking.npz", "it lacks 'U'"),
        ("strings.npz", "it has no matrix 'V'"),
        ("version.npz", "it is an export of version 2"),
        ("overlapping.npz", "it is damaged: its arrays overlap"),
        ("many.npz", "it has 1,001 arrays"),
        ("fifo.npz", "cannot be used|no checkpoint|not a checkpoint"),
    ],
)
def test_files_that_are_no_weights(start, name, message) -> None:
    export(model_of(), "good.npz")
    good = dict(np.load("good.npz"))
    Path("model.pt").write_bytes(pickle.dumps(1))
    Path("model.onnx").write_bytes(b"\x08")
    np.savez("objects.npz", V=np.array([[1, "x"]], object))
    np.savez_compressed("compressed.npz", **good)
    Path("text.npz").write_bytes(b"PK\x03\x04 To be")
    Path("empty.npz").touch()
    np.savez("lacking.npz", **{name: array for name, array in good.items() if name != "U"})
    np.savez("strings.npz", vocabulary=good["vocabulary"])
    np.savez("version.npz", **good | {"version": np.array("2")})
    Path("overlapping.npz").write_bytes(Path("good.npz").read_bytes())
    with ZipFile("overlapping.npz", "a") as archive:
        archive.writestr("x", "x")
        archive.filelist += [archive.getinfo("V.npy")] * 99  # of the same bytes
    np.savez("many.npz", **{f"x{number}": np.zeros(1) for number in range(MAX_TENSORS + 1)})
    os.mkfifo("fifo.npz")
    found = start(name)
    assert found.code == 3
    assert any(one in found.err for one in message.split("|")), found.err
    assert_a_sentence(found.err)


@given(seed=st.integers(0, 2**32))
def test_a_mutated_file_is_sound_or_refused(tmp_path_factory, seed: int) -> None:
    random, folder = Random(seed), tmp_path_factory.mktemp("fuzz")
    kind, model = random.choice(("npz", "safetensors")), model_of(layers=random.choice((1, 2)))
    path = folder / f"x.{kind}"
    export(model, str(path))
    path.write_bytes(mutated(path.read_bytes(), random))
    with suppress(InputError):
        network = read_weights(path)
        assert np.isfinite(network.params.flat).all()


@given(seed=st.integers(0, 2**32))
def test_a_forged_file_is_consistent_or_refused(tmp_path_factory, seed: int) -> None:
    """Metadata and arrays of any value, type and shape."""
    random, folder = Random(seed), tmp_path_factory.mktemp("fuzz")
    export(model_of(), str(folder / "x.npz"))
    arrays: dict[str, Array] = dict(np.load(folder / "x.npz"))
    name = random.choice(sorted(arrays))
    document = json.dumps(random.choice(VALUES))
    arrays[name] = random.choice(
        (
            np.array(document), np.array(ESCAPE), arrays[name].T, arrays[name][..., None],
            np.zeros(arrays[name].shape, "i8"), np.full(arrays[name].shape, np.inf),
        )
    )  # fmt: skip
    np.savez(folder / "x.npz", **arrays)
    with suppress(InputError):
        network = read_weights(folder / "x.npz")
        assert np.isfinite(network.params.flat).all()
        assert network.activation in ("tanh", "sigmoid", "relu", None)


def test_a_header_is_believed_only_within_bounds(start, stoi) -> None:
    """A file that claims to be large is refused before anything is allocated for it."""
    size = 1 << 40
    header = {
        "rnn.weight_ih_l0": {"dtype": "F32", "shape": [1 << 38, 1], "data_offsets": [0, size]}
    }
    for content in (with_header(header), with_header({ESCAPE: header["rnn.weight_ih_l0"]})):
        Path("large.safetensors").write_bytes(content)
        found = start("large.safetensors", "--vocabulary", stoi)
        assert found.code == 3
        assert_a_sentence(found.err)
