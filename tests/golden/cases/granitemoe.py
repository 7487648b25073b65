"""Granite 3 with experts: multipliers of embeddings, residuals, scores and logits."""
MODEL = "GraniteMoeForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-6, bos_token_id=1, eos_token_id=2, num_local_experts=6,
            num_experts_per_tok=2, embedding_multiplier=6.0, residual_multiplier=0.3, attention_multiplier=0.1, logits_scaling=2.0)


def randomise(name, noise):
    if name.endswith("router.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    return None


CASES = {
    "granitemoe_fp32": dict(dtype="float32", config=dict(tie_word_embeddings=True)),
    "granitemoe_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(tie_word_embeddings=False)),
}
