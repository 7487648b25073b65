"""How converters write models with experts to GGUF: experts stacked by matrix, latent attention split. For cases/*.py."""
import gguf
import numpy as np


def joined(name, axis, assemble):
    """restore functions of the pieces of one parameter: the last piece gives the whole."""
    pieces = {}

    def part(key, n):
        def restore(array):
            pieces[key] = array
            return [(name, assemble(pieces))] if len(pieces) == n else []
        return restore
    return part


def permuted(weight, n_heads):
    return weight.reshape(n_heads, 2, weight.shape[0] // n_heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def unpermuted(weight, n_heads):
    return weight.reshape(n_heads, weight.shape[0] // n_heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def gate_and_up(name, weight, layer, suffix, interleaved):
    axis = -1 if weight.ndim == 2 else -2
    gate, up = (np.take(weight, range(first, weight.shape[axis], 2), axis) for first in (0, 1)) if interleaved else np.split(weight, 2, axis)

    def assemble(p):
        if not interleaved:
            whole = np.concatenate([p["gate"], p["up"]], axis)
        else:
            whole = np.stack([p["gate"], p["up"]], axis=p["gate"].ndim + axis + 1).reshape(weight.shape)
        return whole.swapaxes(-1, -2) if interleaved and weight.ndim == 3 else whole
    part = joined(name, axis, assemble)
    return [(f"blk.{layer}.ffn_gate_exps.{suffix}", gate, part("gate", 2)), (f"blk.{layer}.ffn_up_exps.{suffix}", up, part("up", 2))]


def tensors(model, arch, rope_rows=False, interleaved=False):
    """(GGUF name, array, restore) for every parameter and constant; `interleaved`: gate and up in turn, stored [in, out]."""
    config = model.config
    arch = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[arch]
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    everything = dict(model.named_parameters()) | {n: b for n, b in model.named_buffers() if "correction" in n}
    for name, parameter in everything.items():
        weight = parameter.detach().float().numpy()
        same = lambda w, name=name: [(name, w)]
        layer = int(name.split(".")[2]) if ".layers." in name else -1
        if name.endswith(("experts.gate_up_proj", "experts.gate_up_proj_bias")):
            stored = weight.swapaxes(-1, -2) if interleaved and weight.ndim == 3 else weight
            yield from gate_and_up(name, stored, layer, "bias" if name.endswith("bias") else "weight", interleaved)
        elif name.endswith("experts.down_proj"):
            yield (f"blk.{layer}.ffn_down_exps.weight", weight.swapaxes(-1, -2) if interleaved else weight,
                   (lambda w, name=name: [(name, w.swapaxes(-1, -2))]) if interleaved else same)
        elif name.endswith("experts.down_proj_bias"):
            yield f"blk.{layer}.ffn_down_exps.bias", weight, same
        elif name.endswith("e_score_correction_bias"):
            yield f"blk.{layer}.exp_probs_b.bias", weight, same
        elif name.endswith("sinks"):
            yield f"blk.{layer}.attn_sinks.weight", weight, same
        elif name.endswith("kv_b_proj.weight"):
            yield from latent(name, weight, layer, config)
        elif name.endswith(("mlp.gate.weight", "mlp.router.weight", "mlp.router.bias")):
            yield f"blk.{layer}.ffn_gate_inp.{name.split('.')[-1]}", weight, same
        elif rope_rows and (".q_proj." in name or ".k_proj." in name):
            heads = config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads
            yield (names.get_name(name, try_suffixes=(".weight", ".bias")), permuted(weight, heads),
                   lambda w, name=name, heads=heads: [(name, unpermuted(w, heads))])
        else:
            found = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if found is None:
                raise ValueError(f"gguf-py has no name for {name}")
            yield found, weight, same


def latent(name, weight, layer, config):
    nope, v = config.qk_nope_head_dim, config.v_head_dim
    whole = weight.reshape(config.num_attention_heads, nope + v, -1)
    part = joined(name, 1, lambda p: np.concatenate([p["k"].swapaxes(1, 2), p["v"]], 1).reshape(weight.shape))
    return [(f"blk.{layer}.attn_k_b.weight", np.ascontiguousarray(whole[:, :nope].swapaxes(1, 2)), part("k", 2)),
            (f"blk.{layer}.attn_v_b.weight", np.ascontiguousarray(whole[:, nope:]), part("v", 2))]
