"""GLM-4, dense: half of each head rotated, neighbours together; norms before and after the blocks."""
MODEL = "Glm4ForCausalLM"
GGUF = dict(arch="glm4")
BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=64,
            max_position_embeddings=128, rms_norm_eps=1e-5, head_dim=16, pad_token_id=0, eos_token_id=2,
            rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5))
CASES = {
    "glm4_fp32": dict(dtype="float32", gguf=["F16"], config=dict()),
    "glm4_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1, attention_bias=False)),
}
