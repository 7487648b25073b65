"""Golden adapters: tiny PEFT adapters of every form of LoRA that is read here, on golden checkpoints of this repository,
with the logits of PEFT's own merged model; and the names of all other kinds, which are refused.

    pip install torch transformers peft safetensors
    python make_adapters.py            # rewrites every folder beside it; or those that are named

An adapter's folder holds what `save_pretrained` writes, and expected.safetensors: ids [T] and logits [T, vocab_size] of
`merge_and_unload()`, computed in fp32. Where base and output share their embedding (tied_*), they are those of the model
that is not merged: PEFT warns that merging is wrong there. by_converter.gguf is what llama.cpp's converter makes of it:

    python convert_lora_to_gguf.py --outtype f32 --base ../BASE --outfile plain/by_converter.gguf plain
"""
import json
import pathlib
import shutil
import sys

import torch
from peft import LoraConfig, get_peft_model
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from safetensors.torch import save_file, load_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
MLP = ["gate_proj", "up_proj", "down_proj"]

CASES = {
    "plain": ("gqa_untied_fp32", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])),
    "patterns": ("gqa_untied_fp32", dict(
        r=4, lora_alpha=6, use_rslora=True, target_modules=ATTENTION + MLP,
        rank_pattern={"q_proj": 2, r"^model\.layers\.1\.mlp\.(gate|up)_proj": 3},
        alpha_pattern={"layers.0.self_attn.v_proj": 16, "k_proj": 1})),
    "dora": ("head_dim_fp32", dict(r=3, lora_alpha=6, use_dora=True, target_modules=ATTENTION + ["down_proj"])),
    "biases": ("qwen2_tied_fp32", dict(r=2, lora_alpha=4, bias="all", target_modules=["q_proj", "up_proj"])),
    "lora_bias": ("qwen2_tied_fp32", dict(r=2, lora_alpha=5, lora_bias=True, target_modules=["k_proj", "v_proj"])),
    "saved_modules": ("mistral_fp32", dict(r=2, lora_alpha=4, target_modules=["o_proj"], modules_to_save=["lm_head", "norm"])),
    "saved_norm_plus_one": ("gemma2_fp32", dict(r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["norm"])),
    "embeddings": ("mistral_fp32", dict(r=2, lora_alpha=4, target_modules=["embed_tokens", "lm_head", "k_proj"])),
    "tied_embeddings": ("qwen2_tied_fp32", dict(r=2, lora_alpha=4, target_modules=["embed_tokens", "k_proj"])),
    "tied_saved_modules": ("qwen2_tied_fp32", dict(r=2, lora_alpha=4, target_modules=["k_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "fused": ("phi3_fp32", dict(r=3, lora_alpha=6, target_modules=["qkv_proj", "gate_up_proj"])),
    "fused_dora": ("phi3_fp32", dict(r=3, lora_alpha=6, use_dora=True, target_modules=["qkv_proj", "o_proj"])),
    "linear_attention": ("qwen3_5_fp32", dict(r=2, lora_alpha=4, target_modules="all-linear")),
    "experts": ("qwen3_moe_fp32", dict(
        r=2, lora_alpha=4, target_modules=["q_proj"], target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"])),
    "experts_down_only": ("mixtral_fp32", dict(r=3, lora_alpha=6, use_rslora=True, target_modules=[], target_parameters=["experts.down_proj"])),
    "experts_transposed": ("gpt_oss_fp32", dict(
        r=2, lora_alpha=4, target_modules=["k_proj"], target_parameters=["0.mlp.experts.gate_up_proj", "0.mlp.experts.down_proj", "1.mlp.experts.gate_up_proj"])),
    "experts_and_router": ("granitemoe_fp32", dict(r=2, lora_alpha=4, target_modules=["v_proj"], target_parameters=["block_sparse_moe.experts.gate_up_proj", "block_sparse_moe.router.weight"])),
    "bf16": ("mha_tied_bf16", dict(r=8, lora_alpha=16, target_modules=ATTENTION + MLP)),
}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.requires_grad:
            noise = torch.randn(p.shape, generator=generator).to(p.dtype)
            if "lora_" in name and "magnitude" not in name and "bias" not in name:
                p.data = 0.3 * noise
            else:  # magnitudes, biases, whole modules: near what they were
                p.data = p.data + 0.1 * noise


def make(name, base, options):
    folder = HERE / name
    kept = folder / "by_converter.gguf"
    converted = kept.read_bytes() if kept.exists() else None
    shutil.rmtree(folder, ignore_errors=True)
    dtype = torch.bfloat16 if base.endswith("bf16") else torch.float32
    model = AutoModelForCausalLM.from_pretrained(GOLDEN / base, dtype=dtype, attn_implementation="eager")
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))
    randomise(model, len(name))
    model.peft_config["default"].base_model_name_or_path = f"golden/{base}"
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    if converted:
        kept.write_bytes(converted)
    ids = load_file(GOLDEN / base / "expected_logits.safetensors")["ids_0"][:12]
    model.eval()
    with torch.no_grad():
        apart = model(ids[None].long()).logits[0].float()
        merged = model.merge_and_unload()
        logits = merged(ids[None].long()).logits[0].float()
        difference = (apart - logits).abs().max().item()
        if name.startswith("tied"):  # merging into an embedding that is the output too changes both, training did not
            logits = apart
        if dtype == torch.bfloat16:  # the same merged weights, computed without rounding
            logits = merged.float()(ids[None].long()).logits[0]
    save_file({"ids": ids.to(torch.int32).contiguous(), "logits": logits.contiguous()}, folder / "expected.safetensors")
    (folder / "case.json").write_text(json.dumps({"base": base, "merged_differs_from_unmerged_by": difference}, indent=2) + "\n")
    print(name, "max logit", logits.abs().max().item(), "merged - apart", difference)
    for k, v in load_file(folder / "adapter_model.safetensors").items():
        if "layers.0" in k or "layers" not in k:
            print("    ", k, tuple(v.shape), v.dtype)


def refused():
    out = []
    for kind, config in sorted(PEFT_TYPE_TO_CONFIG_MAPPING.items(), key=lambda item: str(item[0].value)):
        if kind.value == "LORA":
            continue
        out.append(kind.value)
    (HERE / "other_kinds.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    for name, (base, options) in CASES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        try:
            make(name, base, options)
        except Exception as e:
            print("FAILED", name, repr(e)[:600])
    refused()
