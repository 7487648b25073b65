"""Gemma 3: five sliding layers to one full, two kinds of positions, the full one scaled; or as a list says."""
import gguf

MODEL = "Gemma3ForCausalLM"
NORM_CENTER = 0.0


def metadata(writer, config):
    rope = config.rope_parameters["full_attention"]
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(rope["factor"])


GGUF = dict(arch="gemma3", norm_offset=1.0, metadata=metadata)
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=2, head_dim=16, vocab_size=64,
            max_position_embeddings=128, rms_norm_eps=1e-6, query_pre_attn_scalar=16, sliding_window=16)
ROPE = dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0), sliding_attention=dict(rope_type="default", rope_theta=10000.0))


def older_spelling(config):
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope["full_attention"]["rope_theta"]
    config["rope_scaling"] = dict(rope_type="linear", factor=rope["full_attention"]["factor"])
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    config["sliding_window_pattern"] = 6
    del config["layer_types"]


CASES = {
    "gemma3_fp32": dict(dtype="float32", gguf=["F16"], prompts=(1, 16, 17, 48), edit_config=older_spelling, config=dict(rope_parameters=ROPE)),
    "gemma3_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], rope_parameters=ROPE,
                                                      final_logit_softcapping=5.0)),
}
