"""gpt-oss: sinks, a sliding window in every second layer, yarn, biases everywhere, clamped swiglu of interleaved rows."""
import gguf
import gguf_experts

MODEL = "GptOssForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
            vocab_size=64, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, num_local_experts=4,
            num_experts_per_tok=2, sliding_window=8)
YARN = dict(rope_type="yarn", rope_theta=150000.0, factor=8.0, beta_fast=32.0, beta_slow=1.0, truncate=False,
            original_max_position_embeddings=32)


def randomise(name, noise):
    if name.endswith("sinks"):
        return noise
    if name.endswith("router.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    if name.endswith("experts.gate_up_proj"):  # [E, in, out]; some beyond the clamp
        return noise * 4 * noise.shape[-2] ** -0.5
    if name.endswith("experts.down_proj"):
        return noise * 0.3 * noise.shape[-2] ** -0.5
    if name.endswith("bias"):
        return noise * 0.5
    return None


def metadata(writer, config):
    writer.add_expert_count(config.num_local_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    writer.add_expert_feed_forward_length(config.intermediate_size)
    writer.add_sliding_window(config.sliding_window)
    rope = config.rope_parameters
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


GGUF = dict(arch="gpt-oss", metadata=metadata, tensors=lambda model: gguf_experts.tensors(model, "gpt-oss", interleaved=True))
CASES = {
    "gpt_oss_fp32": dict(dtype="float32", config=dict(rope_parameters=YARN, tie_word_embeddings=False), gguf=["F32"]),
    "gpt_oss_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(
        rope_parameters=YARN, tie_word_embeddings=False, layer_types=["full_attention", "sliding_attention"])),
}
