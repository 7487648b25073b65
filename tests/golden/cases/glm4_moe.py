"""GLM-4.5 / 4.6: half of each head rotated, norms of q and k or none, sigmoid routing with a selection bias, a shared expert."""
MODEL = "Glm4MoeForCausalLM"
BUFFERS = ("e_score_correction_bias",)
BASE = dict(hidden_size=32, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=16, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1,
            eos_token_id=2, n_routed_experts=8, num_experts_per_tok=3, n_shared_experts=1, first_k_dense_replace=1,
            num_nextn_predict_layers=0)


def randomise(name, noise):
    if name.endswith("mlp.gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    if name.endswith("e_score_correction_bias"):
        return noise * 0.2
    return None


CASES = {
    "glm4_moe_fp32": dict(dtype="float32", config=dict(use_qk_norm=True, attention_bias=True, routed_scaling_factor=2.5)),
    "glm4_moe_air_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(use_qk_norm=False, attention_bias=True)),
}
