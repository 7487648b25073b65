"""Llama: grouped and plain attention, tied and untied, every position scaling, shards, a tokenizer, GGUF files."""
MODEL = "LlamaForCausalLM"
GGUF = dict(arch="llama", rope_rows=True)
BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=128,
            max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)

# The scaled cases have an original context of 16, so that the 48-token prompt runs far beyond it.
CASES = {
    "gqa_untied_fp32": dict(dtype="float32", config=dict(rope_theta=10000.0, tie_word_embeddings=False)),
    "mha_tied_bf16": dict(dtype="bfloat16", config=dict(num_key_value_heads=4, rope_theta=10000.0, tie_word_embeddings=True)),
    "rope_llama3_fp32": dict(dtype="float32", old_config_keys=True, config=dict(num_hidden_layers=1, rope_theta=500000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16))),
    "rope_yarn_fp32": dict(dtype="float32", config=dict(num_hidden_layers=1, rope_theta=10000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0))),
    "rope_linear_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1, rope_theta=10000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="linear", factor=4.0))),
    "head_dim_fp32": dict(dtype="float32", config=dict(num_hidden_layers=1, head_dim=32, rope_theta=10000.0, tie_word_embeddings=True,
                                                       num_attention_heads=4, num_key_value_heads=1)),
    "sharded_tokenizer_bf16": dict(dtype="bfloat16", shard="64KB", tokenizer=True, gguf=["F32", "F16", "BF16", "Q8_0", "Q4_0"], config=dict(
        vocab_size=384, rope_theta=10000.0, tie_word_embeddings=True)),
}
