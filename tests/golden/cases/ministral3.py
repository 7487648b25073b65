"""Ministral 3: YaRN, queries scaled by position (period 16: prompts of 48 cross three steps), a window in one case."""
import gguf

MODEL = "Ministral3ForCausalLM"


def metadata(writer, config):
    rope = config.rope_parameters
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(rope["factor"])
    writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
    writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])
    writer.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"])
    writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    writer.add_attn_temperature_scale(rope["llama_4_scaling_beta"])


GGUF = dict(arch="mistral3", rope_rows=True, metadata=metadata)
ROPE = dict(rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0,
            mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1)
CASES = {
    "ministral3_fp32": dict(dtype="float32", gguf=["F16"], config=dict(head_dim=16, rope_parameters=ROPE)),
    "ministral3_window_bf16": dict(dtype="bfloat16", config=dict(head_dim=16, num_hidden_layers=1, sliding_window=16, rope_parameters=ROPE)),
}
