"""The training loop and what it needs: state, budget, threads, evaluation, checkpoints."""
