"""Gemma 4, text: heads of their own in both kinds of layers, values that are keys, narrow embeddings for each layer,
upper layers that share keys and values (and are twice as wide between), experts beside each MLP."""
import numpy as np

MODEL = "Gemma4ForCausalLM"


BUFFERS = ("layer_scalar",)


def randomise(name, noise):
    if "layer_scalar" in name or "router.scale" in name or "per_expert_scale" in name:
        return 1.0 + 0.2 * noise
    return 0.3 * (1.0 + 0.2 * noise) if "q_norm" in name else None  # scores have no factor: keep them small


def metadata(writer, config):
    slides = [kind == "sliding_attention" for kind in config.layer_types]
    full = slides.index(False)
    writer.add_sliding_window(config.sliding_window)
    writer.add_sliding_window_pattern(slides)
    writer.add_shared_kv_layers(config.num_kv_shared_layers)
    writer.add_embedding_length_per_layer_input(config.hidden_size_per_layer_input)
    writer.add_key_length_swa(config.per_layer_config[slides.index(True)].head_dim)
    writer.add_value_length_swa(config.per_layer_config[slides.index(True)].head_dim)
    writer.add_rope_freq_base_swa(10000.0)
    if config.final_logit_softcapping:
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    head_dim = config.per_layer_config[full].head_dim
    n_rotated = head_dim // 4 // 2
    writer.add_tensor("rope_freqs.weight", np.array([1.0] * n_rotated + [1e30] * (head_dim // 2 - n_rotated), dtype=np.float32))


GGUF = dict(arch="gemma4", metadata=metadata, head_dim=lambda config: config.per_layer_config[config.layer_types.index("full_attention")].head_dim,
            kv_heads=lambda config: [config.per_layer_config[i].num_key_value_heads for i in range(config.num_hidden_layers)],
            d_ff=lambda config: [config.intermediate_size * (1 + (config.use_double_wide_mlp and i >= config.num_hidden_layers - config.num_kv_shared_layers))
                                 for i in range(config.num_hidden_layers)])
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=8, global_head_dim=16,
            vocab_size=64, vocab_size_per_layer_input=64, hidden_size_per_layer_input=32, max_position_embeddings=128, rms_norm_eps=1e-6,
            sliding_window=16, layer_types=["sliding_attention", "full_attention"] * 2)
CASES = {
    "gemma4_shared_fp32": dict(dtype="float32", prompts=(1, 16, 17, 48), gguf=["F16"], config=dict(
        num_kv_shared_layers=2, use_double_wide_mlp=True, final_logit_softcapping=3.0)),
    "gemma4_plain_fp32": dict(dtype="float32", gguf=["F16"], config=dict(
        num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], hidden_size_per_layer_input=0, attention_k_eq_v=True,
        num_global_key_value_heads=1)),
    "gemma4_experts_fp32": dict(dtype="float32", config=dict(
        num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], hidden_size_per_layer_input=0, enable_moe_block=True,
        num_experts=4, top_k_experts=2, moe_intermediate_size=32)),
    "gemma4_experts_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(
        num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], hidden_size_per_layer_input=0, enable_moe_block=True,
        num_experts=4, top_k_experts=2, moe_intermediate_size=32)),
    "gemma4_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"])),
}
