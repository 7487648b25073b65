"""MiniMax M2: norms over all of q and all of k, half of each head rotated, sigmoid routing with a selection bias."""
MODEL = "MiniMaxM2ForCausalLM"
BUFFERS = ("e_score_correction_bias",)
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
            rotary_dim=8, vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2,
            num_local_experts=6, num_experts_per_tok=2)


def randomise(name, noise):
    if name.endswith("mlp.gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    if name.endswith("e_score_correction_bias"):
        return noise * 0.2
    return None


CASES = {
    "minimax_m2_fp32": dict(dtype="float32", config=dict()),
    "minimax_m2_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict()),
}
