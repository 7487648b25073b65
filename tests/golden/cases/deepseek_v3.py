"""DeepSeek V3 / R1 / Kimi K2: latent attention, sigmoid routing with a selection bias and groups, shared and dense layers."""
import gguf
import gguf_experts

MODEL = "DeepseekV3ForCausalLM"
BUFFERS = ("e_score_correction_bias",)
BASE = dict(hidden_size=32, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
            q_lora_rank=32, kv_lora_rank=32, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=24, n_routed_experts=8,
            num_experts_per_tok=3, n_shared_experts=1, first_k_dense_replace=1, n_group=4, topk_group=2, num_nextn_predict_layers=0)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=8.0, beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0,
            original_max_position_embeddings=16)


def randomise(name, noise):
    if name.endswith("mlp.gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    if name.endswith("e_score_correction_bias"):
        return noise * 0.2
    return None


def metadata(writer, config):
    writer.add_leading_dense_block_count(config.first_k_dense_replace)
    if config.q_lora_rank:
        writer.add_q_lora_rank(config.q_lora_rank)
    writer.add_kv_lora_rank(config.kv_lora_rank)
    writer.add_key_length(config.kv_lora_rank + config.qk_rope_head_dim)
    writer.add_value_length(config.kv_lora_rank)
    writer.add_key_length_mla(config.qk_nope_head_dim + config.qk_rope_head_dim)
    writer.add_value_length_mla(config.v_head_dim)
    writer.add_expert_count(config.n_routed_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    writer.add_expert_feed_forward_length(config.moe_intermediate_size)
    writer.add_expert_shared_count(config.n_shared_experts)
    writer.add_expert_weights_scale(config.routed_scaling_factor)
    writer.add_expert_weights_norm(config.norm_topk_prob)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_group_count(config.n_group)
    writer.add_expert_group_used_count(config.topk_group)
    rope = config.rope_parameters
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])


GGUF = dict(arch="deepseek2", metadata=metadata, tensors=lambda model: gguf_experts.tensors(model, "deepseek2"))
CASES = {
    "deepseek_v3_fp32": dict(dtype="float32", config=dict(rope_parameters=YARN), gguf=["F32"]),
    "deepseek_v3_no_q_rank_fp32": dict(dtype="float32", config=dict(
        q_lora_rank=None, n_group=1, topk_group=1, routed_scaling_factor=1.5, norm_topk_prob=False, rope_interleave=False)),
    "deepseek_v3_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(rope_parameters=dict(YARN, mscale_all_dim=0.5))),
}
