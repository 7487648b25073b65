#!/usr/bin/env python3
"""Writes config_defaults.json: for every family of the goldens the keys of config.json that its configuration class in the
transformers library has, what it takes where one is absent, and whether null may stand there:

    {model_type: {key: [default, null is accepted]}}

Keys from which no arithmetic of a forward pass follows are left out. rope_theta, partial_rotary_factor and the members of a
default block of rope_parameters ("rope_parameters.factor") are found by asking the class for a configuration without any key.

Needs: pip install torch transformers (not needed to run the tests).
"""
import dataclasses
import json
import pathlib
import types
import typing

import make_golden
import torch
import transformers
from mutate_configs import ENVELOPE

HERE = pathlib.Path(__file__).resolve().parent
# Of the library's base class, of training, of decoding; layers that predict further tokens.
NO_ARITHMETIC = ENVELOPE | {f.name for f in dataclasses.fields(transformers.PreTrainedConfig)} | {"num_mtp_layers"}


def accepts_null(hint):
    return hint is type(None) or (typing.get_origin(hint) in (types.UnionType, typing.Union) and type(None) in typing.get_args(hint))


def plain(value):
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def positions(cls):
    """What a configuration without any key takes for positions, beyond the fields of the class."""
    block, theta = cls().rope_parameters, cls.default_theta
    if isinstance(theta, dict):  # of the two kinds of layers, each with a key of its own
        return {"rope_theta": [theta["global"], False], "rope_local_base_freq": [theta["local"], False]}
    if any(isinstance(v, dict) for v in block.values()):
        return {f"rope_parameters.{kind}.{key}": [value, False] for kind, inner in block.items() for key, value in inner.items()}
    out = {"rope_theta": [theta, False], "partial_rotary_factor": [block.get("partial_rotary_factor", 1.0), False]}
    given = {k: v for k, v in block.items() if k not in ("partial_rotary_factor", "type", "max_position_embeddings")}
    if given["rope_theta"] == theta:
        del given["rope_theta"]
    if given != {"rope_type": "default"}:
        out |= {f"rope_parameters.{key}": [value, False] for key, value in given.items()}
    return out


def defaults_of(cls):
    hints = typing.get_type_hints(cls, localns={"torch": torch})
    out = {f.name: [plain(f.default), accepts_null(hints[f.name])] for f in dataclasses.fields(cls) if f.name not in NO_ARITHMETIC}
    if "rope_parameters" in out:
        out |= positions(cls)
    return dict(sorted(out.items()))


def main():
    families = {}
    for path in sorted((HERE / "cases").glob("*.py")):
        config_class = make_golden.model_class(make_golden.family_module(path)).config_class
        families[config_class.model_type] = defaults_of(config_class)
    text = ",\n".join(f"{json.dumps(name)}: " + "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in keys.items()) + "\n}"
                      for name, keys in sorted(families.items()))
    (HERE / "config_defaults.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
