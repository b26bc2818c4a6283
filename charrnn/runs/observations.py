"""What is observed of a run while it trains: baselines, weights, samples."""

from itertools import islice
from math import isfinite, log

import numpy as np
from numpy.random import default_rng

from charrnn.arrays import Array
from charrnn.errors import CharrnnError
from charrnn.events import Baselines, Histogram, Sampled, WeightsMeasured
from charrnn.optim.clipping import norms_of
from charrnn.runs.start import Run
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.sampling.start import start_state
from charrnn.setup.wiring import activation_of, sequences_of
from charrnn.text.count_baselines import NGRAM_CONTEXT, counted_nats, xz_nats
from charrnn.text.text import Text

HISTOGRAM_BINS = 40
HISTOGRAM_BLOCK = 1 << 16  # weights at a time


def baselines(run: Run) -> Baselines:
    """The loss on the held-out text without a network."""
    vocabulary, sequences = run.corpus.vocabulary, sequences_of(run.config)
    counted = counted_nats(run.corpus.training, run.scored, sequences, len(vocabulary))
    return Baselines(
        uniform_nats_per_character=log(len(vocabulary)),
        ngram_nats_per_character=counted.ngram,
        context=NGRAM_CONTEXT,
        unigram_nats_per_character=counted.unigram,
        xz_nats_per_character=xz_nats(Text(vocabulary.characters, run.scored), counted.predicted),
    )


def weights(run: Run) -> WeightsMeasured:
    """The norms and histograms of the current weights."""
    params = run.state.model
    norms = {name: norm for name, norm in norms_of(params)[1].items() if isfinite(norm)}
    arrays = {name: array for name, array in params.named() if name in norms}
    histograms = {name: _histogram(array) for name, array in arrays.items()}
    return WeightsMeasured(run.state.progress.step, norms, histograms)


def _histogram(array: Array) -> Histogram:
    ends = float(array.min()), float(array.max())
    counts = np.zeros(HISTOGRAM_BINS, np.int64)
    try:
        edges = np.histogram_bin_edges([], HISTOGRAM_BINS, ends)
        for start in range(0, array.size, HISTOGRAM_BLOCK):  # float32 may overflow, a copy is large
            block = array.reshape(-1)[start : start + HISTOGRAM_BLOCK].astype(np.float64)
            counts += np.histogram(block, edges)[0]
    except ValueError:  # the weights are too close together to have that many numbers between them
        return Histogram(ends, (array.size,))
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def start_of(run: Run) -> Array | None:
    """The state in which texts begin; None where each starts from the zero state."""
    if run.passages is None:
        return None
    return start_state(run.state.model, activation_of(run.config), run.passages)


def sample(run: Run) -> Sampled | None:
    """A sample of the current model; None if it cannot generate text."""
    try:
        text = _sample(run)
    except CharrnnError:  # the state of a ReLU network may overflow while it learns
        return None
    return Sampled(run.state.progress.step, text) if text else None


def _sample(run: Run) -> str:
    """One text, or as many lines as start within the sample length."""
    vocabulary, config = run.corpus.vocabulary, run.config
    left, texts = config.evaluation.sample_length, []
    sequences = sequences_of(config)
    writing = GeneratedTexts(
        run.state.model,
        activation_of(config),
        vocabulary,
        "",
        delimiter=sequences.delimiter,
        choose=chooser(),
        random=lambda number: default_rng([config.training.seed, run.state.progress.step, number]),
        length=left,
        count=None if sequences.single_line else 1,
        lanes=1,
        start=start_of(run),
    )
    for text in writing:
        texts.append("".join(islice(text, left)))
        left -= len(texts[-1]) + 1  # with its newline
        if left <= 0:
            break
    return "\n".join(texts)
