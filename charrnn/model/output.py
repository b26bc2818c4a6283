"""The output layer of a window: the loss and the gradients by V, c and the states."""

from charrnn.arrays import Array
from charrnn.model.loss import loss_and_logit_gradient
from charrnn.model.params import Params
from charrnn.model.products import product_by_rows
from charrnn.model.rnn import logits
from charrnn.model.sums import sum_of_outer_products, sum_rows
from charrnn.model.workspace import Workspace


def output_gradient(
    params: Params,
    up: Array,
    y: Array,
    scale: int,
    gradient: Params,
    da: Array,
    workspace: Workspace,
) -> float:
    """Computes equations (3) to (9).

    Args:
        params: The weights.
        up: What the output reads (T, B, H): the states of the top layer, masked by dropout.
        y: Target ids (T, B).
        scale: Divides the gradient, not the loss.
        gradient: Its V and c are overwritten.
        da: Overwritten by Vᵀ do_t (T, B, H) of (10).
        workspace: Provides the arrays.

    Returns:
        Σ L_t in nats.
    """
    A, H = params.V.shape
    loss, do = loss_and_logit_gradient(logits(params, up, workspace), y)
    do /= scale  # (8)
    sum_of_outer_products(do, up, gradient.V)  # (9)
    if gradient.c is not None:
        sum_rows(do.reshape(-1, A), workspace.ones(y.size, do.dtype), gradient.c)
    product_by_rows(do.reshape(-1, A), params.V, out=da.reshape(-1, H))
    return float(loss)
