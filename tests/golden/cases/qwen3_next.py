"""Qwen3-Next: the delta nets of Qwen 3.5 with q, k, v and gate in one matrix, head by head, and experts."""
import importlib.util
import pathlib

spec = importlib.util.spec_from_file_location("qwen3_5", pathlib.Path(__file__).with_name("qwen3_5.py"))
dense = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dense)

MODEL = "Qwen3NextForCausalLM"
NORM_CENTER = 0.0
randomise = dense.randomise
BASE = dense.BASE | dict(
    num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
    num_hidden_layers=2, layer_types=["linear_attention", "full_attention"],
    rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25))
CASES = {
    "qwen3_next_fp32": dict(dtype="float32", prompts=(1, 9, 70), config=dict(tie_word_embeddings=False)),
    "qwen3_next_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 20), config=dict(
        tie_word_embeddings=True, linear_num_value_heads=2, linear_value_head_dim=16)),
}
