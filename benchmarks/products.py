"""Times a thin product with W in one thread: contiguous, transposed view and tiled.

python benchmarks/products.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from worker import seconds_per_call

from charrnn.model.products import product_with
from charrnn.model.workspace import Workspace
from charrnn.system.blas import single_threaded_blas


def main() -> None:
    """Prints microseconds, and the fraction of the speed of a large square product."""
    random = np.random.default_rng(0)
    with single_threaded_blas():
        large = random.standard_normal((2048, 2048), dtype=np.float32)
        peak = 2 * 2048**3 / seconds_per_call(lambda: large @ large, 1.0)
        print(f"large product: {peak / 1e9:.0f} GFLOP/s")
        print("lanes     H   contiguous         view        tiles")
        for B in (1, 4, 16, 32, 64):
            for H in (128, 256, 512, 1024):
                h, out = random.standard_normal((B, H), dtype=np.float32), np.empty((B, H), "f4")
                W = random.standard_normal((H, H), dtype=np.float32)
                WT, tiled = W.T.copy(), product_with(W.T, B, Workspace(), "WT")
                np.testing.assert_allclose(tiled(h), h @ WT, rtol=1e-3, atol=1e-2)
                forms = (
                    lambda h=h, WT=WT, out=out: np.matmul(h, WT, out=out),
                    lambda h=h, W=W, out=out: np.matmul(h, W.T, out=out),
                    lambda h=h, tiled=tiled: tiled(h),
                )
                line = f"{B:>5}  {H:>4}"
                for form in forms:
                    seconds = seconds_per_call(form, 0.2)
                    share = 2 * B * H * H / seconds / peak
                    line += f"  {1e6 * seconds:>5.0f} {share:>4.0%}"
                print(line, flush=True)


if __name__ == "__main__":
    main()
