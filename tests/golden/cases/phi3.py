"""Phi 3 and 4: fused projections; longrope with part of each head rotated (prompts on both sides of the original length
of 16); a window over all layers. `by_length`: the library takes other factors beyond the original length."""
import gguf
import numpy as np

MODEL = "Phi3ForCausalLM"


def metadata(writer, config):
    writer.add_sliding_window(config.sliding_window or 0)
    rope = config.rope_parameters
    if rope["rope_type"] == "longrope":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        scale = config.max_position_embeddings / rope["original_max_position_embeddings"]
        writer.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(scale) / np.log(rope["original_max_position_embeddings"]))))
        for kind in ("long", "short"):
            writer.add_tensor(f"rope_factors_{kind}.weight", np.array(rope[f"{kind}_factor"], dtype=np.float32))


GGUF = dict(arch="phi3", metadata=metadata)
BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=64,
            max_position_embeddings=128, original_max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LONGROPE = dict(rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, original_max_position_embeddings=16,
                short_factor=[1.0, 1.1, 1.5], long_factor=[1.2, 2.5, 8.0])
CASES = {
    "phi3_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], config=dict()),
    "phi3_longrope_fp32": dict(dtype="float32", gguf=["F16"], prompts=(9, 16, 17, 48), mark=dict(by_length=True), config=dict(
        original_max_position_embeddings=16, tie_word_embeddings=True, rope_parameters=LONGROPE)),
    "phi3_window_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1, sliding_window=16)),
}
