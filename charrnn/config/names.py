"""The names of settings, and which of them an unknown name may mean."""

from collections.abc import Collection, Iterator
from typing import Any, get_args

from pydantic import BaseModel

from charrnn.config.settings import Config
from charrnn.wording import nearest

Section = type[BaseModel]

SIMILAR = 0.65  # as difflib measures it: there are many settings to be similar to

# names that other programs give to settings
SYNONYMS = {
    "batch": "batch_size",
    "clip_norm": "threshold",
    "grad_clip": "threshold",
    "device": "workers",
    "dtype": "precision",
    "early_stopping": "patience",
    "embedding_size": "hidden_size",
    "gain": "recurrent_gain",
    "hidden": "hidden_size",
    "hidden_dim": "hidden_size",
    "hidden_units": "hidden_size",
    "lr": "learning_rate",
    "nonlinearity": "activation",
    "num_layers": "layers",
    "n_layers": "layers",
    "num_steps": "max_steps",
    "rnn_size": "hidden_size",
    "seq_len": "window",
    "seq_length": "window",
    "sequence_length": "window",
    "bptt_steps": "window",
    "steps": "max_steps",
    "threads": "workers",
    "time": "max_time",
    "units": "hidden_size",
    "val_fraction": "validation_fraction",
    "wd": "weight_decay",
}


def settings_like(name: str, siblings: Collection[str] = ()) -> list[str]:
    """The dotted keys of the settings that an unknown name may mean, whatever its section.

    Args:
        name: A dotted key, or the last part of one; hyphens count as underscores.
        siblings: The keys of the section that it was found in, sections included.

    Returns:
        The settings whose last part is this name or what other programs mean by it; else the most
        similar sibling, or the settings with the most similar last part; none if nothing is
        similar.
    """
    leaf = name.rpartition(".")[2].lower().replace("-", "_")
    by_leaf: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys(Config)):
        by_leaf.setdefault(key.rpartition(".")[2], []).append(key)
    leaf = SYNONYMS.get(leaf, leaf) if leaf not in by_leaf else leaf
    section = name.rpartition(".")[0]
    if leaf not in by_leaf:
        similar = nearest(leaf, [*siblings, *by_leaf], SIMILAR) or ""
        if similar in siblings:
            return [f"{section}.{similar}" if section else similar]
        leaf = similar
    found = [key for key in by_leaf.get(leaf, []) if key != name]
    here = [key for key in found if key.rpartition(".")[0] == section]
    if siblings and leaf not in siblings:  # of another choice, such as another optimizer
        return [key for key in found if key not in here]
    return here or found


def keys(section: Section, prefix: str = "") -> Iterator[str]:
    """The dotted keys of a section and of those in it, of every choice."""
    for name, field in section.model_fields.items():
        yield prefix + name
        for inner in sections_of(field.annotation):
            yield from keys(inner, f"{prefix}{name}.")


def sections_of(annotation: Any) -> list[Section]:
    """The section of a setting, or those to choose from; none for a value."""
    found = [annotation, *get_args(annotation)]
    return [one for one in found if isinstance(one, type) and issubclass(one, BaseModel)]
