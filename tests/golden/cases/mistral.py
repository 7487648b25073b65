"""Mistral: without a window, and with one over all layers (48 tokens cross a window of 16 twice)."""
MODEL = "MistralForCausalLM"
GGUF = dict(arch="llama", rope_rows=True)
CASES = {
    "mistral_fp32": dict(dtype="float32", gguf=["F16"], config=dict(sliding_window=None, num_hidden_layers=1, head_dim=16)),
    "mistral_window_fp32": dict(dtype="float32", prompts=(1, 16, 17, 48), config=dict(sliding_window=16)),
    "mistral_window_bf16": dict(dtype="bfloat16", config=dict(sliding_window=16, num_hidden_layers=1)),
}
