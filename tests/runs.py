"""Runs of which the weights have to be the same."""

import numpy as np
from safetensors.numpy import load_file


def check_resume_and_workers(charrnn, arguments: list, cut: int, steps: int, single: list) -> None:
    """Resumed after `cut` steps: the same bits; with one worker and `single`: but for rounding."""
    double = ["--set", "training.precision=float64"]
    single = [*double, "--set", "training.workers=1", *single]
    assert charrnn(*arguments, "--max-steps", steps, "--out", "whole").code == 0
    assert charrnn(*arguments, "--max-steps", cut, "--out", "parts").code == 0
    assert charrnn("train", "--resume", "parts", "--max-steps", steps).code == 0
    assert charrnn(*arguments, *double, "--max-steps", 5, "--out", "double").code == 0
    assert charrnn(*arguments, *single, "--max-steps", 5, "--out", "single").code == 0
    whole, parts, one, two = (
        load_file(f"{run}/checkpoints/last.safetensors")
        for run in ("whole", "parts", "single", "double")
    )
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-6, atol=1e-9)
