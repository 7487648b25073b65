"""Gemma 2: capped scores and logits, a window of 16 in every second layer, norms stored as their distance from one."""
MODEL = "Gemma2ForCausalLM"
NORM_CENTER = 0.0


def metadata(writer, config):
    writer.add_sliding_window(config.sliding_window)
    writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    writer.add_final_logit_softcapping(config.final_logit_softcapping)


GGUF = dict(arch="gemma2", norm_offset=1.0, metadata=metadata)
BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16, vocab_size=64,
            max_position_embeddings=128, rms_norm_eps=1e-6, query_pre_attn_scalar=16, sliding_window=16, attn_logit_softcapping=2.0,
            final_logit_softcapping=3.0)
CASES = {
    "gemma2_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], prompts=(1, 16, 17, 48), config=dict()),
    "gemma2_bf16": dict(dtype="bfloat16", config=dict(query_pre_attn_scalar=24)),
}
