"""gpt-oss: sinks, a sliding window in every second layer, yarn, biases everywhere, clamped swiglu of interleaved rows."""
import json

import gguf
import gguf_experts
import torch
from safetensors.torch import load_file, save_file
from transformers.integrations.mxfp4 import FP4_VALUES, convert_moe_packed_tensors

MODEL = "GptOssForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
            vocab_size=64, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, num_local_experts=4,
            num_experts_per_tok=2, sliding_window=8)
YARN = dict(rope_type="yarn", rope_theta=150000.0, factor=8.0, beta_fast=32.0, beta_slow=1.0, truncate=False,
            original_max_position_embeddings=32)


def randomise(name, noise):
    if name.endswith("sinks"):
        return noise
    if name.endswith("router.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5
    if name.endswith("experts.gate_up_proj"):  # [E, in, out]; some beyond the clamp
        return noise * 4 * noise.shape[-2] ** -0.5
    if name.endswith("experts.down_proj"):
        return noise * 0.3 * noise.shape[-2] ** -0.5
    if name.endswith("bias"):
        return noise * 0.5
    return None


def metadata(writer, config):
    writer.add_expert_count(config.num_local_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    writer.add_expert_feed_forward_length(config.intermediate_size)
    writer.add_sliding_window(config.sliding_window)
    rope = config.rope_parameters
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def halves_of_bytes(nibbles):
    return nibbles[..., 0::2] | nibbles[..., 1::2] << 4


def as_published(folder, model):
    """Experts as the published checkpoints have them: X_blocks [E, out, in / 32, 16], two e2m1 numbers a byte, the first in the low
    half, and X_scales [E, out, in / 32]. Expectations: the library in fp32 on what its own conversion makes of these."""
    values = torch.tensor(FP4_VALUES)
    parameters, stored = dict(model.named_parameters()), load_file(folder / "model.safetensors")
    for name in [n for n in stored if n.endswith("_proj") and ".experts." in n]:
        weight = stored.pop(name).transpose(1, 2)  # [E, out, in]
        groups = weight.reshape(*weight.shape[:2], -1, 32)
        exponents = torch.floor(torch.log2(groups.abs().amax(-1))) - 2
        nearest = (groups[..., None] / 2.0 ** exponents[..., None, None] - values).abs().argmin(-1).to(torch.uint8)
        stored[name + "_blocks"], stored[name + "_scales"] = halves_of_bytes(nearest).contiguous(), (exponents + 127).to(torch.uint8)
        decoded = convert_moe_packed_tensors(stored[name + "_blocks"], stored[name + "_scales"], dtype=torch.float32)
        with torch.no_grad():
            parameters[name].copy_(decoded)
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    expected = load_file(folder / "expected_logits.safetensors")
    for name in [n for n in expected if n.startswith("ids_")]:
        with torch.no_grad():
            expected[name.replace("ids", "logits")] = model(expected[name][None].long()).logits[0].contiguous()
    save_file(expected, folder / "expected_logits.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = dict(quant_method="mxfp4", modules_to_not_convert=[
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"])
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


GGUF = dict(arch="gpt-oss", metadata=metadata, tensors=lambda model: gguf_experts.tensors(model, "gpt-oss", interleaved=True))
CASES = {
    "gpt_oss_fp32": dict(dtype="float32", config=dict(rope_parameters=YARN, tie_word_embeddings=False), gguf=["F32"]),
    "gpt_oss_mxfp4_fp32": dict(dtype="float32", extras=as_published,
                               config=dict(rope_parameters=YARN, tie_word_embeddings=False)),
    "gpt_oss_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(
        rope_parameters=YARN, tie_word_embeddings=False, layer_types=["full_attention", "sliding_attention"])),
}
