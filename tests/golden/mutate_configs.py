#!/usr/bin/env python3
"""What the transformers library makes of the golden checkpoints when a key of config.json is missing, null, of another value or
of another type: one change at a time, for every key (in nested blocks too), and pairs of keys that depend on each other.
Writes config_mutations/<case>.json, which config_mutations_test.cpp walks:

    {"prompt": the number of the prompt,
     "outcomes": [null: the library refuses, or would make weights up; or [largest |logit|, six logits]],
     "mutations": [[outcome, [[pointer] (deleted) or [pointer, value], ...]], ...]}

The six logits are those of entries 0, V/3 and 2V/3 in the rows T/2 and T-1, computed in fp32 with eager attention.

Needs: pip install torch transformers safetensors numpy (not needed to run the tests).
Run:   python3 mutate_configs.py [CASE ...]     (all by default)
"""
import copy
import json
import math
import pathlib
import sys
import tempfile
import warnings

import torch
import transformers
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "config_mutations"
ENVELOPE = {"transformers_version", "use_cache", "dtype", "torch_dtype", "pad_token_id", "bos_token_id", "eos_token_id", "attention_dropout",
            "router_aux_loss_coef", "output_router_logits", "router_jitter_noise", "residual_dropout", "hidden_dropout_prob", "resid_pdrop",
            "attention_probs_dropout_prob", "classifier_dropout", "initializer_range", "pretraining_tp", "embd_pdrop", "mamba_chunk_size",
            "quantization_config"}  # deleted and nulled only: no arithmetic follows from them

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}


def longrope(n):
    return {"rope_type": "longrope", "short_factor": [1.0 + 0.1 * i for i in range(n)], "long_factor": [1.5 + 0.2 * i for i in range(n)],
            "original_max_position_embeddings": 16}


def without(block, *keys):
    return {k: v for k, v in block.items() if k not in keys}


ROPE_BLOCKS = [
    {}, {"rope_type": "default"}, {"rope_type": "abc"}, {"type": "linear", "factor": 2.0}, {"rope_type": "linear", "factor": 2},
    {"rope_type": "linear"}, {"rope_type": "linear", "factor": None}, {"factor": 2.0}, {"rope_type": "dynamic", "factor": 2.0}, YARN,
    YARN | {"factor": None}, without(YARN, "factor"), without(YARN, "original_max_position_embeddings"), YARN | {"truncate": False},
    YARN | {"attention_factor": 1.5}, YARN | {"attention_factor": None}, YARN | {"attention_factor": 0.0}, YARN | {"mscale": 2.0},
    YARN | {"mscale": 2.0, "mscale_all_dim": 0.5}, YARN | {"mscale_all_dim": 1.0}, YARN | {"mscale": None, "mscale_all_dim": 0}, YARN | {"beta_fast": None, "beta_slow": 0},
    YARN | {"beta_fast": 16, "beta_slow": 2}, YARN | {"truncate": None}, LLAMA3, without(LLAMA3, "factor"), without(LLAMA3, "low_freq_factor"),
    without(LLAMA3, "high_freq_factor"), without(LLAMA3, "original_max_position_embeddings"), LLAMA3 | {"type": "yarn"}, longrope(2), longrope(4), longrope(8),
    longrope(8) | {"factor": 3.0}, longrope(4) | {"rope_type": "su"}, longrope(4) | {"attention_factor": 1.5},
    {"rope_type": "proportional", "partial_rotary_factor": 0.5}, {"rope_type": "proportional"}, {"rope_type": "default", "partial_rotary_factor": 0.5},
    {"rope_type": "default", "partial_rotary_factor": None}, {"rope_type": "default", "partial_rotary_factor": 1.0},
    {"rope_type": "linear", "factor": 2.0, "partial_rotary_factor": 0.5}, {"type": "mrope", "mrope_section": [1, 1, 2]},
    {"rope_type": "default", "mrope_section": [1, 1, 2]}, {"rope_type": None}, {"rope_theta": None}, {"rope_theta": 500.0}, {"rope_theta": 500},
]
ACTIVATIONS = ["silu", "swish", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "tanh"]
TYPES = ["full_attention", "sliding_attention", "linear_attention", "chunked_attention", "mamba", "attention"]
# Other values of keys that are there, and values of keys that are not.
VALUES = {
    "rope_scaling": ROPE_BLOCKS,
    "rope_parameters": ROPE_BLOCKS + [block | {"rope_theta": 500.0} for block in (YARN, LLAMA3, {"rope_type": "linear", "factor": 2.0}, longrope(4))] + [
        {"full_attention": {"rope_type": "default", "rope_theta": 500.0}}, {"sliding_attention": {"rope_type": "default", "rope_theta": 500.0}},
        {"full_attention": None, "sliding_attention": {}}, {"full_attention": {}, "sliding_attention": {}},
        {"full_attention": YARN, "sliding_attention": {"rope_type": "linear", "factor": 2.0}}],
    "rope_theta": [500.0, 500, None], "partial_rotary_factor": [0.5, 1.0, 1, 0.3, None], "rotary_dim": [4, 8, None], "original_max_position_embeddings": [16, 32, None],
    "hidden_act": ACTIVATIONS, "hidden_activation": ACTIVATIONS,
    "sliding_window": [5, 0, None], "use_sliding_window": [True, False], "max_window_layers": [0, 1], "sliding_window_pattern": [2, 0, None],
    "full_attention_interval": [1, 2, 0], "no_rope_layers": [[1, 1], [0, 1], [1, 0, 1, 0], [0], [True, False], None],
    "no_rope_layer_interval": [1, 2, 0], "attention_bias": [True, False], "mlp_bias": [True, False], "attention_out_bias": [True],
    "tie_word_embeddings": [True, False], "num_key_value_heads": [1, 2, 4], "is_causal": [False, True],
    "is_decoder": [True], "add_cross_attention": [True], "use_bidirectional_attention": [True, False, "all", "vision"],
    "per_layer_config": [{"0": {"num_key_value_heads": 1}}, {"0": {"sliding_window": 4}}, {}], "attn_logit_softcapping": [2.0, 0.0, None],
    "final_logit_softcapping": [2.0, 0.0, None], "query_pre_attn_scalar": [16, 0], "norm_topk_prob": [True, False],
    "scoring_func": ["softmax", "sigmoid"], "topk_method": ["greedy", "group_limited_greedy", "noaux_tc"], "n_group": [1, 2, 0, None], "topk_group": [1, 2, 0, None],
    "routed_scaling_factor": [2.0, 1], "moe_layer_freq": [1, 2], "first_k_dense_replace": [0, 1, 2], "decoder_sparse_step": [1, 2, 0],
    "mlp_only_layers": [[0], [1], [], [-1]], "n_shared_experts": [0, 1, 2], "num_experts_per_tok": [1, 2], "experts_per_token": [1], "num_experts": [2, 4], "num_local_experts": [2, 4],
    "logits_scaling": [2.0, 0, None], "embedding_multiplier": [2.0, None], "residual_multiplier": [0.5, None], "attention_multiplier": [0.5, None],
    "position_embedding_type": ["rope", "nope", "absolute", "relative_key", "alibi", None], "use_qk_norm": [True, False], "qk_norm": [True, False],
    "use_routing_bias": [True, False], "shared_intermediate_size": [0, 32], "swiglu_alpha": [1.0], "swiglu_limit": [0.5, 0.0], "rope_interleave": [True, False], "rms_norm_eps": [0.05, 0.0, 1],
    "layer_norm_eps": [0.05], "layers_block_type": [["attention", "attention"], ["mamba", "attention"]], "num_labels": [1, 2, 3],
    "rope_local_base_freq": [500.0, None], "global_head_dim": [16, 8, None], "num_global_key_value_heads": [1, 2, None],
    "time_step_limit": [[0.0, 0.5], [0.01, 1.0], None], "mamba_d_head": ["auto", 8], "chunk_size_feed_forward": [2], "qk_layernorm": [True], "qkv_bias": [True, False],
    "clip_qkv": [0.5], "layer_norm_epsilon": [0.05], "q_lora_rank": [None, 8], "v_head_dim": [8], "head_dim": [8, 16, 32], "type_vocab_size": [2, 3],
    "llama_4_scaling_beta": [0.5], "num_nextn_predict_layers": [0, 1], "num_mtp_layers": [0, 1, 2], "model_type": ["llama", "qwen2", "gemma3_text"],
    "architectures": [["LlamaForCausalLM"], [], None], "hidden_size_per_layer_input": [0, 32], "vocab_size_per_layer_input": [64, 32], "mlp_layer_types": [["dense", "sparse"], ["sparse", "sparse"]],
    "attention_k_eq_v": [True, False], "num_kv_shared_layers": [1], "enable_moe_block": [True, False], "use_double_wide_mlp": [True, False], "mamba_proj_bias": [True], "mamba_conv_bias": [False],
}
# Keys that depend on each other: one is deleted while another has each of its values.
TOGETHER = [
    ("layer_types", "sliding_window", "use_sliding_window", "max_window_layers", "sliding_window_pattern", "no_rope_layers", "no_rope_layer_interval", "full_attention_interval",
     "layers_block_type"),
    ("rope_parameters", "rope_scaling", "rope_theta", "partial_rotary_factor", "rotary_dim", "original_max_position_embeddings", "rope_local_base_freq"),
    ("n_group", "topk_group", "topk_method"),
    ("per_layer_config", "global_head_dim", "num_global_key_value_heads", "attention_k_eq_v", "layer_types"),
]
WRAPPERS = {"gemma3_text": "gemma3", "gemma4_text": "gemma4", "qwen3_5_text": "qwen3_5", "qwen3_5_moe_text": "qwen3_5_moe", "mistral": "mistral3",
            "ministral3": "mistral3"}


def others(key, value, n_layers):
    """Plausible and implausible other values of a key."""
    out = list(VALUES.get(key, []))
    if key in ("layer_types",):
        out += [[t] * n_layers for t in TYPES] + [["sliding_attention", "full_attention"] * (n_layers // 2), ["full_attention"], ["abc"] * n_layers]
    if isinstance(value, bool):
        out += [not value, "abc", 1]
    elif isinstance(value, int):
        out += [value * 2, value // 2, 0, value + 0.5, "abc", -1, True]
    elif isinstance(value, float):
        out += [value * 2, value / 2, 0.0, 1, "abc"]
    elif isinstance(value, str):
        out += ["abc", 5]
    elif isinstance(value, list):
        out += [value[::-1], value[1:], [], "abc", value + value[-1:]]
        if value and all(isinstance(v, float) for v in value):
            out += [[v * 2 for v in value]]
    elif isinstance(value, dict):
        out += [{}, "abc"]
    return out


def walk(block, pointer=""):
    for key, value in block.items():
        at = f"{pointer}/{key}"
        yield at, key, value
        if isinstance(value, dict) and key != "quantization_config":
            yield from walk(value, at)


def single_changes(config, with_values):
    n_layers = config.get("num_hidden_layers", 2)
    for at, key, value in walk(config):
        yield [[at]]
        if value is not None:
            yield [[at, None]]
        if not with_values or key in ENVELOPE:
            continue
        for other in others(key, value, n_layers):
            if json.dumps(other) != json.dumps(value):
                yield [[at, other]]
    if with_values:
        for key in [*VALUES, "layer_types"]:
            if key not in config:
                for other in others(key, None, n_layers):
                    yield [[f"/{key}", other]]


def paired_changes(config):
    n_layers = config.get("num_hidden_layers", 2)
    for group in TOGETHER:
        for gone in group:
            if gone not in config:
                continue
            for key in group:
                if key == gone:
                    continue
                if key in config:
                    yield [[f"/{gone}"], [f"/{key}"]]
                for other in others(key, config.get(key), n_layers):
                    yield [[f"/{gone}"], [f"/{key}", other]]


def bare_changes(config):
    """Nothing but names and sizes."""
    kept = {"architectures", "model_type"}
    yield [[f"/{key}"] for key, value in config.items() if key not in kept and (isinstance(value, bool) or not isinstance(value, int))]
    yield [[f"/{key}"] for key, value in config.items() if key not in kept and not isinstance(value, (int, list))]


def wrapped_changes(config):
    """The text model's configuration inside that of a model that takes pictures too; "" replaces all of it."""
    outer = WRAPPERS.get(config["model_type"])
    if outer is None:
        return
    name = [n for n in transformers.models.auto.modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.items() if n[0] == outer][0][1]
    head = {"model_type": outer, "architectures": [name if isinstance(name, str) else name[0]]}
    bare = without(config, "architectures")
    yield [["", head | {"text_config": config}]]
    yield [["", head | {"text_config": bare}]]
    yield [["", head | {"text_config": without(bare, "model_type")}]]
    for edits in bare_changes(config):
        small = without(bare, *[e[0][1:] for e in edits])
        yield [["", head | {"text_config": small}]]
        yield [["", head | {"text_config": without(small, "model_type")}]]
    for outer_ties in ({}, {"tie_word_embeddings": True}, {"tie_word_embeddings": False}, {"tie_word_embeddings": None}):
        for inner_ties in ({}, {"tie_word_embeddings": True}, {"tie_word_embeddings": False}):
            yield [["", head | outer_ties | {"text_config": without(bare, "tie_word_embeddings") | inner_ties}]]


def edited(config, edits):
    out = copy.deepcopy(config)
    for edit in edits:
        if edit[0] == "":
            out = copy.deepcopy(edit[1])
            continue
        *path, last = edit[0][1:].split("/")
        at = out
        for step in path:
            at = at[step]
        if len(edit) == 1:
            del at[last]
        else:
            at[last] = copy.deepcopy(edit[1])
    return out


class Library:
    def __init__(self, folder):
        sys.path.insert(0, str(HERE))
        import make_golden

        self.family = next(f for f in map(make_golden.family_module, sorted((HERE / "cases").glob("*.py"))) if folder.name in f.CASES)
        self.make_golden, self.known = make_golden, {}
        self.scratch = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.scratch.name)
        for file in folder.iterdir():
            if file.name.endswith((".safetensors", ".safetensors.index.json")) and not file.name.startswith(("expected", "dequant")):
                (self.at / file.name).symlink_to(file)
        tensors = load_file(folder / "expected_logits.safetensors")
        n = sum(name.startswith("ids_") for name in tensors)
        self.prompt = max(range(n), key=lambda i: len(tensors[f"ids_{i}"]))
        self.ids = tensors[f"ids_{self.prompt}"].tolist()

    def text_part(self, document):
        """What AutoConfig makes of a larger model's configuration: the text model's, with the larger model's word on ties."""
        whole = transformers.CONFIG_MAPPING[document["model_type"]].from_dict(document)
        text = whole.text_config
        text.tie_word_embeddings = whole.tie_word_embeddings
        return text

    def outcome(self, document):
        try:
            (self.at / "config.json").write_text(json.dumps(document))
            config = self.text_part(document) if "text_config" in document else None
            cls = self.make_golden.model_class(self.family) if config is None else transformers.AutoModelForCausalLM._model_mapping[type(config)]
            config = config or cls.config_class.from_pretrained(self.at)
            if max(config.hidden_size, config.vocab_size, getattr(config, "intermediate_size", 0) or 0, config.num_hidden_layers) > 1024:
                return None  # a default of the library's, which fits no golden's weights
            key = json.dumps([config.to_dict(), str(cls)], sort_keys=True, default=str)
            if key not in self.known:
                self.known[key] = self.computed(cls, config)
            return self.known[key]
        except Exception:
            return None

    def computed(self, cls, config):
        model, seen = cls.from_pretrained(self.at, config=config, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
        if seen["missing_keys"] or seen["mismatched_keys"]:
            return None
        logits = self.make_golden.logits_of(self.family, model, [self.ids])[0]
        if logits.ndim == 1:
            logits = logits[None]
        rows, columns = (logits.shape[0] // 2, logits.shape[0] - 1), (0, logits.shape[1] // 3, 2 * logits.shape[1] // 3)
        values = [float(abs(logits).max())] + [float(logits[r][c]) for r in rows for c in columns]
        return [float(f"{v:.6g}") for v in values] if all(map(math.isfinite, values)) else None


def make(folder):
    config = json.loads((folder / "config.json").read_text())
    library, outcomes, seen, mutations = Library(folder), [], set(), []
    is_full = folder.name.endswith("fp32")
    changes = [[], *single_changes(config, with_values=is_full), *bare_changes(config)]
    if is_full:
        changes += [*paired_changes(config), *wrapped_changes(config)]
    for edits in changes:
        text = json.dumps(edits)
        if text in seen:
            continue
        seen.add(text)
        outcome = library.outcome(edited(config, edits))
        if outcome not in outcomes:
            outcomes.append(outcome)
        mutations.append([outcomes.index(outcome), edits])
    lines = ",\n".join(json.dumps(m, separators=(",", ":")) for m in mutations)
    values = ",\n".join(json.dumps(o, separators=(",", ":")) for o in outcomes)
    (OUT / f"{folder.name}.json").write_text(f'{{"prompt":{library.prompt},"outcomes":[\n{values}],"mutations":[\n{lines}]}}\n')
    print(f"{folder.name}: {len(mutations)} mutations, {len(outcomes)} outcomes", flush=True)


def main(wanted):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    OUT.mkdir(exist_ok=True)
    for case in sorted(HERE.glob("*/case.json")):
        if not wanted or case.parent.name in wanted:
            make(case.parent)


if __name__ == "__main__":
    main(sys.argv[1:])
