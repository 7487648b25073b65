"""OLMo 2: norms after the blocks, over all queries and all keys."""
MODEL = "Olmo2ForCausalLM"
GGUF = dict(arch="olmo2")
CASES = {
    "olmo2_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], config=dict(pad_token_id=0)),
    "olmo2_bf16": dict(dtype="bfloat16", config=dict(pad_token_id=0, num_hidden_layers=1, num_key_value_heads=4)),
}
