"""Qwen3-MoE: norms of each head's q and k, many small experts, dense layers between them, normalised or not."""
import gguf_experts

MODEL = "Qwen3MoeForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=16, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1,
            eos_token_id=2, num_experts=6, num_experts_per_tok=3, norm_topk_prob=True, rope_theta=1e6)


def randomise(name, noise):
    if name.endswith("mlp.gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    return None


def metadata(writer, config):
    writer.add_expert_count(config.num_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    writer.add_expert_feed_forward_length(config.moe_intermediate_size)


GGUF = dict(arch="qwen3moe", metadata=metadata, tensors=lambda model: gguf_experts.tensors(model, "qwen3moe"))
CASES = {
    "qwen3_moe_fp32": dict(dtype="float32", config=dict(tie_word_embeddings=False), gguf=["Q4_0"]),
    "qwen3_moe_dense_between_fp32": dict(dtype="float32", config=dict(
        num_hidden_layers=4, decoder_sparse_step=2, mlp_only_layers=[3], norm_topk_prob=False, tie_word_embeddings=True)),
    "qwen3_moe_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(num_hidden_layers=1, tie_word_embeddings=False)),
}
