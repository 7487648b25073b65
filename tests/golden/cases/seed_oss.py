"""Seed-OSS: biases on queries, keys and values, head_dim apart from d_model / n_heads; and without biases."""
MODEL = "SeedOssForCausalLM"
GGUF = dict(arch="seed_oss")
CASES = {
    "seed_oss_fp32": dict(dtype="float32", gguf=["F16"], config=dict(head_dim=16, pad_token_id=0)),
    "seed_oss_bf16": dict(dtype="bfloat16", config=dict(head_dim=8, pad_token_id=0, num_hidden_layers=1, attention_bias=False, tie_word_embeddings=True)),
}
