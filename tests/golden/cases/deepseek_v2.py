"""DeepSeek V2 and V2-Lite: latent attention, softmax routing, greedy or limited to groups, weights not normalised."""
MODEL = "DeepseekV2ForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
            q_lora_rank=32, kv_lora_rank=32, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16, n_routed_experts=8,
            num_experts_per_tok=3, n_shared_experts=2, first_k_dense_replace=1)


def randomise(name, noise):
    if name.endswith("mlp.gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    return None


CASES = {
    "deepseek_v2_groups_fp32": dict(dtype="float32", config=dict(
        topk_method="group_limited_greedy", n_group=4, topk_group=2, routed_scaling_factor=4.0)),
    "deepseek_v2_lite_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(
        q_lora_rank=None, topk_method="greedy", rope_parameters=dict(
            rope_type="yarn", rope_theta=10000.0, factor=8.0, beta_fast=32.0, beta_slow=1.0, mscale=0.707,
            mscale_all_dim=0.707, original_max_position_embeddings=16))),
}
