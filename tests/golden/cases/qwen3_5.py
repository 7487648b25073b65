"""Qwen 3.5, text: gated delta nets in most layers, gated attention with partly rotated heads in the rest. Prompts cross
the chunks of 64 in which the recurrence is computed."""
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
PROMPTS = (1, 9, 64, 150)
CASES = {
    "qwen3_5_fp32": dict(dtype="float32", prompts=PROMPTS, config=dict(tie_word_embeddings=True, num_hidden_layers=2,
                         layer_types=["linear_attention", "full_attention"])),
    "qwen3_5_bf16": dict(dtype="bfloat16", prompts=(1, 9, 20), seed=2000, tokenizer=True, config=dict(
        vocab_size=384,
        tie_word_embeddings=True, num_hidden_layers=2, layer_types=["linear_attention", "full_attention"],
        linear_num_value_heads=2, linear_value_head_dim=16)),
}
