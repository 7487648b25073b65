"""Qwen 3.5 with experts, text: as Qwen 3.5, with routed experts and a shared one behind a gate."""
import importlib.util
import pathlib

spec = importlib.util.spec_from_file_location("qwen3_5", pathlib.Path(__file__).with_name("qwen3_5.py"))
dense = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dense)

MODEL = "Qwen3_5MoeForCausalLM"
NORM_CENTER = 0.0
randomise = dense.randomise
BASE = {key: value for key, value in dense.BASE.items() if key != "intermediate_size"} | dict(
    num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
    num_hidden_layers=2, layer_types=["linear_attention", "full_attention"])
CASES = {
    "qwen3_5_moe_fp32": dict(dtype="float32", prompts=(1, 9, 70), config=dict(tie_word_embeddings=False)),
    "qwen3_5_moe_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 20), config=dict(
        tie_word_embeddings=True, linear_num_value_heads=2, linear_value_head_dim=16)),
}
