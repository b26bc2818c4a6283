"""The orthogonal matrix that is nearest to another one, roughly, by matrix products alone."""

from math import sqrt

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import squared_norm

# a, b, c of p(X) = a X + (b XXᵀ + c (XXᵀ)²) X, one p after the other. Together they take singular
# values from 0.03 to 1 to between 0.8 and 1.15; smaller ones, mostly noise, grow thirtyfold.
ITERATIONS = (
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def orthogonalize(X: Array, workspace: Workspace) -> None:
    """Brings the singular values of a square matrix near 1 and keeps its singular vectors.

    Args:
        X: The matrix (H, H), changed in place. 0 stays 0.
        workspace: Provides the arrays.

    Reference:
        Newton-Schulz iterations as in Jordan et al. 2024, "Muon: an optimizer for hidden layers in
        neural networks"; their coefficients are the last of Amsel et al. 2025, "The Polar Express",
        arXiv 2505.16932.
    """
    S, Y = (workspace.array(name, X.shape, X.dtype) for name in ("XXT", "product"))
    with np.errstate(over="ignore"):
        norm = sqrt(squared_norm(X.reshape(-1)))  # no singular value is above it
    X /= max(norm, float(np.finfo(X.dtype).tiny))
    for a, b, c in ITERATIONS:
        np.dot(X, X.T, out=S)
        np.dot(S, S.T, out=Y)  # S = Sᵀ, and a product with its own transpose takes half the time
        Y *= c
        S *= b
        S += Y
        np.dot(S, X, out=Y)
        X *= a
        X += Y
