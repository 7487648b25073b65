"""Qwen 3: queries and keys normed per head, head_dim apart from d_model / n_heads; tied and not."""
MODEL = "Qwen3ForCausalLM"
GGUF = dict(arch="qwen3")
CASES = {
    "qwen3_tied_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], config=dict(head_dim=16, tie_word_embeddings=True)),
    "qwen3_bias_fp32": dict(dtype="float32", config=dict(head_dim=8, attention_bias=True, num_hidden_layers=1)),
    "qwen3_bf16": dict(dtype="bfloat16", config=dict(head_dim=16, num_hidden_layers=1)),
}
