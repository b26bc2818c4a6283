"""`charrnn export`."""

from typing import Annotated

import typer

from charrnn.cli.options import CheckpointArgument, JsonOption


def export_command(
    checkpoint: CheckpointArgument,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="File to write: .onnx for onnxruntime (extra onnx), .safetensors for PyTorch, "
            ".npz for NumPy, or .html for a browser.",
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Write a model to a file that other programs read.

    Print the path of the file.
    """
    from dataclasses import asdict

    from charrnn.cli.output import write_json, write_line, write_notes
    from charrnn.commands.export import export_model
    from charrnn.report.export_code import print_code
    from charrnn.report.player import player_page

    report = export_model(checkpoint, file, player_page)
    write_notes(report.notes)
    if json:
        write_json(asdict(report))
        return
    write_line(report.path)
    print_code(report)
