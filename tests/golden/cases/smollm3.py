"""SmolLM3: no positions in every fourth layer, or where a list says."""
MODEL = "SmolLM3ForCausalLM"
GGUF = dict(arch="smollm3", rope_rows=True)
BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=5, num_attention_heads=4, num_key_value_heads=2, vocab_size=64,
            max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=0)
CASES = {
    "smollm3_fp32": dict(dtype="float32", gguf=["F16"], config=dict()),
    "smollm3_list_bf16": dict(dtype="bfloat16", seed=2, config=dict(num_hidden_layers=2, no_rope_layers=[0, 1], tie_word_embeddings=False)),
}
