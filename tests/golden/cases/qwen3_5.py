"""Qwen 3.5, text: gated delta nets in most layers, gated attention with partly rotated heads in the rest. Prompts cross
the chunks of 64 in which the recurrence is computed."""
import numpy as np

MODEL = "Qwen3_5ForCausalLM"
NORM_CENTER = 0.0


def randomise(name, noise):
    if name.endswith("linear_attn.norm.weight"):
        return 1.0 + 0.2 * noise
    if name.endswith("A_log"):
        return 0.7 * noise
    if name.endswith("dt_bias"):
        return -1.0 + 0.5 * noise
    if name.endswith("conv1d.weight"):
        return 0.4 * noise
    return None


BASE = dict(
    hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
    vocab_size=64, max_position_embeddings=256, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
    linear_key_head_dim=8, linear_value_head_dim=12, linear_num_key_heads=2, linear_num_value_heads=4,
    rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25, mrope_section=[1, 1, 0]),
)


def metadata(writer, config):
    writer.add_ssm_conv_kernel(config.linear_conv_kernel_dim)
    writer.add_ssm_state_size(config.linear_key_head_dim)
    writer.add_ssm_group_count(config.linear_num_key_heads)
    writer.add_ssm_time_step_rank(config.linear_num_value_heads)
    writer.add_ssm_inner_size(config.linear_value_head_dim * config.linear_num_value_heads)
    writer.add_full_attention_interval(config.layer_types.index("full_attention") + 1)
    writer.add_rope_dimension_sections([11, 11, 10, 0])


LINEAR = {"in_proj_qkv.weight": "attn_qkv.weight", "in_proj_z.weight": "attn_gate.weight", "in_proj_b.weight": "ssm_beta.weight",
          "in_proj_a.weight": "ssm_alpha.weight", "conv1d.weight": "ssm_conv1d.weight", "A_log": "ssm_a", "dt_bias": "ssm_dt.bias",
          "norm.weight": "ssm_norm.weight", "out_proj.weight": "ssm_out.weight"}
OTHERS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm", "self_attn.q_proj": "attn_q",
          "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
          "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate",
          "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def tiled(config, width):
    """Value heads that stand together by key head → value heads that go round the key heads, as a permutation."""
    n_k, per_k = config.linear_num_key_heads, config.linear_num_value_heads // config.linear_num_key_heads
    return np.arange(n_k * per_k * width).reshape(n_k, per_k, width).swapaxes(0, 1).reshape(-1)


def tensors(model):
    """(name there, array as stored there, restore) as llama.cpp's converter lays them out."""
    config = model.config
    keys = 2 * config.linear_num_key_heads * config.linear_key_head_dim
    for name, parameter in model.named_parameters():
        w = parameter.detach().float().numpy()
        parts = name.split(".")
        if not name.startswith("model.layers."):
            theirs = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                      "lm_head.weight": "output.weight"}[name]
            offset = np.float32(1 if name == "model.norm.weight" else 0)
            yield theirs, w + offset, lambda x, n=name, o=offset: [(n, x - o)]
            continue
        blk, rest = f"blk.{parts[2]}.", ".".join(parts[3:])
        if not rest.startswith("linear_attn."):
            offset = np.float32(1 if "norm" in rest else 0)
            yield blk + OTHERS[rest[:-7]] + ".weight", w + offset, lambda x, n=name, o=offset: [(n, x - o)]
            continue
        rest = rest[len("linear_attn."):]
        width = config.linear_value_head_dim
        if rest in ("in_proj_qkv.weight", "conv1d.weight"):
            order = np.concatenate([np.arange(keys), keys + tiled(config, width)])
        elif rest in ("in_proj_z.weight", "out_proj.weight"):
            order = tiled(config, width)
        elif rest == "norm.weight":
            order = np.arange(width)
        else:
            order = tiled(config, 1)
        back = np.argsort(order)
        if rest == "out_proj.weight":
            yield blk + LINEAR[rest], w[:, order], lambda x, n=name, b=back: [(n, x[:, b])]
        elif rest == "conv1d.weight":
            yield blk + LINEAR[rest], w.squeeze(1)[order], lambda x, n=name, b=back: [(n, x[b][:, None, :])]
        elif rest == "A_log":
            yield blk + LINEAR[rest], -np.exp(w)[order], lambda x, n=name, b=back: [(n, np.log(-x)[b])]
        else:
            yield blk + LINEAR[rest], w[order], lambda x, n=name, b=back: [(n, x[b])]


GGUF = dict(arch="qwen35", metadata=metadata, tensors=tensors)
PROMPTS = (1, 9, 64, 150)
CASES = {
    "qwen3_5_fp32": dict(dtype="float32", gguf=["F16"], prompts=PROMPTS, config=dict(tie_word_embeddings=True, num_hidden_layers=2,
                         layer_types=["linear_attention", "full_attention"])),
    "qwen3_5_bf16": dict(dtype="bfloat16", prompts=(1, 9, 20), seed=2000, tokenizer=True, config=dict(
        vocab_size=384,
        tie_word_embeddings=True, num_hidden_layers=2, layer_types=["linear_attention", "full_attention"],
        linear_num_value_heads=2, linear_value_head_dim=16)),
}
