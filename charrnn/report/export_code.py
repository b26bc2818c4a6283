"""The Python code that loads an exported model, as a hint."""

from charrnn.report.messages import say_message
from charrnn.results import ExportReport
from charrnn.system.streams import say

LIBRARIES = {"onnx": "onnxruntime", "safetensors": "PyTorch", "npz": "NumPy"}


def print_code(report: ExportReport) -> None:
    """Writes how to use an export to standard error."""
    if report.kind not in LIBRARIES:
        say_message("hint", "open it in a browser; it needs no network.")
        return
    say_message("hint", f"to load it with {LIBRARIES[report.kind]} (more in docs/export.md):")
    say("\n".join(loading_code(report)))


def loading_code(report: ExportReport) -> list[str]:
    """Lines of Python that load an export, other than a page."""
    sizes = f"{report.layers}, 1, {report.hidden_size}"
    if report.kind == "onnx":
        return [
            "import numpy, onnxruntime",
            f"model = onnxruntime.InferenceSession({report.path!r})",
            'feed = {"ids": numpy.array([[0]])}  # (T, B)',
            f'feed["state"] = numpy.zeros(({sizes}), "f4")',
            "logits, state = model.run(None, feed)",
        ]
    if report.kind == "npz":
        return [
            "import json, numpy",
            f"arrays = dict(numpy.load({report.path!r}))  # U, W, V, b, c",
            'vocabulary = json.loads(str(arrays["vocabulary"]))',
        ]
    layers = [str(report.alphabet_size), str(report.hidden_size), str(report.layers)]
    options = ([] if report.bias else ["bias=False"]) + (
        ["dtype=torch.float64"] if report.precision == "float64" else []
    )
    relu = ['nonlinearity="relu"'] if report.activation == "relu" else []
    output = ", ".join([str(report.hidden_size), str(report.alphabet_size), *options])
    return [
        "import torch",
        "from safetensors.torch import load_file",
        "model = torch.nn.Module()",
        f"model.rnn = torch.nn.RNN({', '.join(layers + relu + options)})",
        f"model.linear = torch.nn.Linear({output})",
        f"model.load_state_dict(load_file({report.path!r}))",
    ]
