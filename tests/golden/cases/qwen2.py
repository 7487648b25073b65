"""Qwen 2.5: biases on queries, keys and values; tied and not; a window in the upper layer of one case."""
MODEL = "Qwen2ForCausalLM"
GGUF = dict(arch="qwen2")
CASES = {
    "qwen2_tied_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], config=dict(tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1000000.0))),
    "qwen2_window_fp32": dict(dtype="float32", config=dict(use_sliding_window=True, sliding_window=16, max_window_layers=1)),
    "qwen2_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1)),
}
