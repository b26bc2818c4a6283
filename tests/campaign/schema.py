"""Random values for every setting, derived from the models of the settings."""

from random import Random
from typing import Any

from charrnn.config.settings import Config

Value = Any
Schema = dict[str, Any]

CAPS = {  # so that a trial takes milliseconds
    "model.hidden_size": 12,
    "model.layers": 4,
    "training.batch_size": 6,
    "training.window": 12,
    "training.stride": 12,
    "training.max_steps": 20,
    "training.workers": 3,
    "evaluation.sample_length": 30,
}
BOUNDS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
}
FLOORS = {"training.workers": 1}  # bounds that the schema lacks
NUMBERS = (1e-300, 1e-30, 1e-8, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.9, 1.0, 2.0, 30.0, 1e6, 1e30, 1e300)
EDGES = (5e-324, 1e-308, 1 - 2**-53, 1.7e308)
COUNTS = (0, 1, 1, 2, 2, 3, 5, 8, 13, 100, 10**6, 10**18)


def random_config(random: Random, given: dict[str, Value]) -> dict[str, Value]:
    """A valid config of random settings, most of them extreme now and then.

    Args:
        random: Its random numbers.
        given: Settings by their full names that are not drawn, such as the texts.
    """
    schema = _with_bounds(Config.model_json_schema(mode="serialization"))
    drawn = _draw(schema, schema["$defs"], random, "", given)
    training = drawn["training"]
    if training["stride"] is not None:
        training["stride"] = min(training["stride"], training["window"])
    if training["max_steps"] is None:
        training["max_time"] = random.choice([1e-9, 0.01, 0.1])
    return drawn


def _with_bounds(schema: Value) -> Value:
    """The schema with one name for each kind of bound: ge, gt, le, lt."""
    if isinstance(schema, list):
        return [_with_bounds(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {BOUNDS.get(key, key): _with_bounds(part) for key, part in schema.items()}


def _draw(
    schema: Schema, known: Schema, random: Random, path: str, given: dict[str, Value]
) -> Value:
    if path in given:
        return given[path]
    if "$ref" in schema:
        return _draw(known[schema["$ref"].rpartition("/")[2]], known, random, path, given)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _draw(random.choice(schema[several]), known, random, path, given)
    if "const" in schema or "enum" in schema:
        return random.choice(schema.get("enum") or [schema["const"]])
    if schema["type"] == "object":
        prefix = path + "." if path else ""
        return {
            name: _draw(part, known, random, prefix + name, given)
            for name, part in schema["properties"].items()
            if "default" not in part or prefix + name in given or random.random() < 0.8
        } | ({"epochs": None} if path == "training" and random.random() < 0.5 else {})
    if schema["type"] == "array":
        count = random.randrange(4)
        return [_draw(schema["items"], known, random, path + "[]", given) for _ in range(count)]
    if schema["type"] == "boolean":
        return random.random() < 0.5
    if schema["type"] in ("integer", "number"):
        return _number(schema, random, path)
    assert schema["type"] == "null", f"{path}: a setting of a type that the campaign lacks"
    return None


def _number(schema: Schema, random: Random, path: str) -> int | float:
    """A number within the bounds of its setting; small where it sets the size of the work."""
    most = CAPS.get(path, 1e308)

    def valid(value: float) -> bool:
        return (
            schema.get("ge", FLOORS.get(path, -1e308)) <= value
            and value <= min(schema.get("le", 1e308), most)
            and value > schema.get("gt", -1e308)
            and value < schema.get("lt", 1.7e308)
        )

    if schema["type"] == "integer":
        return random.choice([value for value in COUNTS if valid(value)])
    kind = random.random()
    if kind < 0.3 and valid(usual := random.random()):
        return usual
    edges = [value for value in EDGES if valid(value)]
    if kind > 0.93 and edges:
        return random.choice(edges)
    return random.choice([value for value in (*NUMBERS, 0.0) if valid(value)])
