#!/usr/bin/env python3
"""Writes the cases of this folder: tiny Llama checkpoints as other tools quantise them, one folder a method, and
expected.json with a hash of the float weights that each stands for.

The truth does not come from unpacking: integers, zero points and scales are drawn first, the weight is computed from
them (scale * (q - zero), in float), and only then are they packed as the method's files have them. Where the method's own
library runs on a CPU, it computes the truth: compressed-tensors' dequantize, bitsandbytes' dequantize_4bit, transformers'
conversion of mxfp4, torch's own fp8 numbers.

Needs: pip install torch transformers compressed-tensors bitsandbytes safetensors numpy. Run: python3 make_quantised.py
"""
import json
import pathlib
import shutil

import bitsandbytes.functional as bnb
import numpy as np
import torch
from compressed_tensors.compressors.pack_quantized import pack_to_int32
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize
from safetensors.torch import save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

HERE = pathlib.Path(__file__).resolve().parent
C, F, V, KV = 128, 128, 32, 64
CONFIG = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=C, intermediate_size=F, num_hidden_layers=1,
              num_attention_heads=2, num_key_value_heads=1, head_dim=64, vocab_size=V, max_position_embeddings=64,
              rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False, torch_dtype="bfloat16",
              hidden_act="silu", bos_token_id=1, eos_token_id=2, attention_bias=False, mlp_bias=False)
LAYER = "model.layers.0."
LINEAR = {"self_attn.q_proj": (C, C), "self_attn.k_proj": (KV, C), "self_attn.v_proj": (KV, C), "self_attn.o_proj": (C, C),
          "mlp.gate_proj": (F, C), "mlp.up_proj": (F, C), "mlp.down_proj": (C, F)}
rng = np.random.default_rng(11)


def fnv1a(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


def normal(*shape, scale=0.05):
    return torch.from_numpy((rng.standard_normal(shape) * scale).astype(np.float32))


def case(name, quantization_config, quantise, dtype):
    """quantise(out, name, n, k) puts the parts of one linear layer into `out` and returns its float weight."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tensors, expected = {}, {}
    tensors["model.embed_tokens.weight"] = normal(V, C).bfloat16()
    tensors["lm_head.weight"] = normal(V, C).bfloat16()
    for norm in ("model.norm", LAYER + "input_layernorm", LAYER + "post_attention_layernorm"):
        tensors[norm + ".weight"] = torch.ones(C).bfloat16()
    for linear, (n, k) in LINEAR.items():
        weight = quantise(tensors, LAYER + linear, n, k)
        assert weight.dtype == torch.float32 and weight.shape == (n, k), (weight.dtype, weight.shape)
        expected[LAYER + linear + ".weight"] = dict(dtype=dtype, shape=[n, k], hash=fnv1a(weight.contiguous().numpy().tobytes()))
    finish(folder, dict(CONFIG, quantization_config=quantization_config), tensors, expected)


def finish(folder, config, tensors, expected):
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


# ---- fp8 ----

def fp8(scale_of, expand, suffix, scale_dtype=torch.float32):
    def quantise(out, name, n, k):
        scale = scale_of(n, k).to(scale_dtype)
        q = torch.from_numpy(rng.standard_normal((n, k)).astype(np.float32) * 60).to(torch.float8_e4m3fn)
        out[name + ".weight"], out[name + suffix] = q, scale
        return q.float() * expand(scale.float(), n, k)
    return quantise


def positive(*shape):
    return torch.from_numpy(rng.uniform(1e-4, 1e-3, shape).astype(np.float32))


def blocks(size):
    return (lambda n, k: positive(-(-n // size), -(-k // size)),
            lambda s, n, k: s.repeat_interleave(size, 0)[:n].repeat_interleave(size, 1)[:, :k])


per_row = (lambda n, k: positive(n, 1), lambda s, n, k: s)
per_tensor = (lambda n, k: positive(1), lambda s, n, k: s)


# ---- packed integers ----

def pack_words(values, bits):
    """[rows, n] of unsigned numbers → int32 [rows, n * bits / 32], the first in the lowest bits."""
    per_word = 32 // bits
    words = values.astype(np.uint64).reshape(values.shape[0], -1, per_word) << (np.arange(per_word, dtype=np.uint64) * bits)
    return np.bitwise_or.reduce(words, axis=-1).astype(np.uint32).view(np.int32)


def gptq(bits=4, group=32, symmetric=True, version=1, act_order=False):
    def quantise(out, name, n, k):
        groups, most = k // group, 2 ** bits - 1
        q = rng.integers(0, most + 1, (n, k))
        low = 1 if version == 1 else 0  # version 1 cannot say zero
        zero = np.full((n, groups), 2 ** (bits - 1)) if symmetric else rng.integers(low, most + 1, (n, groups))
        scale = rng.uniform(1e-3, 1e-2, (n, groups)).astype(np.float16)
        g_idx = rng.permutation(np.arange(k) // group) if act_order else np.arange(k) // group
        out[name + ".qweight"] = torch.from_numpy(pack_words(q, bits).T.copy())
        out[name + ".qzeros"] = torch.from_numpy(pack_words((zero - (version == 1)).T, bits))
        out[name + ".scales"] = torch.from_numpy(scale.T.copy())
        out[name + ".g_idx"] = torch.from_numpy(g_idx.astype(np.int32))
        return torch.from_numpy(scale[:, g_idx].astype(np.float32) * (q - zero[:, g_idx]).astype(np.float32))
    return quantise


def awq(group=64):
    order = [0, 2, 4, 6, 1, 3, 5, 7]  # nibble i of a word holds column order[i]

    def pack(values):  # [rows, n]
        eights = values.reshape(values.shape[0], -1, 8)[..., order]
        return torch.from_numpy(pack_words(eights.reshape(values.shape[0], -1), 4))

    def quantise(out, name, n, k):
        groups = k // group
        q, zero = rng.integers(0, 16, (k, n)), rng.integers(0, 16, (groups, n))
        scale = rng.uniform(1e-3, 1e-2, (groups, n)).astype(np.float16)
        out[name + ".qweight"], out[name + ".qzeros"], out[name + ".scales"] = pack(q), pack(zero), torch.from_numpy(scale)
        weight = np.repeat(scale, group, 0).astype(np.float32) * (q - np.repeat(zero, group, 0)).astype(np.float32)
        return torch.from_numpy(weight.T.copy())
    return quantise


# ---- compressed-tensors ----

def packed(bits, group, symmetric, scale_dtype):
    args = QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, strategy="group" if group else "channel", group_size=group)

    def quantise(out, name, n, k):
        groups, half = k // group if group else 1, 2 ** (bits - 1)
        q = torch.from_numpy(rng.integers(-half, half, (n, k)).astype(np.int8))
        scale = torch.from_numpy(rng.uniform(1e-3, 1e-2, (n, groups)).astype(np.float32)).to(scale_dtype)
        out[name + ".weight_packed"] = pack_to_int32(q, bits)
        out[name + ".weight_shape"] = torch.tensor([n, k])
        out[name + ".weight_scale"] = scale
        zero = None
        if not symmetric:
            zero = torch.from_numpy(rng.integers(-half, half, (n, groups)).astype(np.int8))
            out[name + ".weight_zero_point"] = pack_to_int32(zero, bits, packed_dim=0).contiguous()
        return dequantize(q, scale.float(), zero, args, dtype=torch.float32)
    return quantise


def int8(scale_dtype):
    args = QuantizationArgs(num_bits=8, type="int", symmetric=True, strategy="channel")

    def quantise(out, name, n, k):
        q = torch.from_numpy(rng.integers(-128, 128, (n, k)).astype(np.int8))
        scale = positive(n, 1).to(scale_dtype)
        out[name + ".weight"], out[name + ".weight_scale"] = q, scale
        return dequantize(q, scale.float(), None, args, dtype=torch.float32)
    return quantise


def compressed(format_name, **weights):
    return dict(quant_method="compressed-tensors", format=format_name, ignore=["lm_head"],
                config_groups=dict(group_0=dict(targets=["Linear"], input_activations=None, weights=weights)))


# ---- others ----

def nf4(double):
    def quantise(out, name, n, k):
        q, state = bnb.quantize_4bit(normal(n, k), blocksize=64, quant_type="nf4", compress_statistics=double)
        out[name + ".weight"] = q
        for part, tensor in state.as_dict(packed=True).items():
            out[f"{name}.weight.{part}"] = tensor
        return bnb.dequantize_4bit(q, state).float()
    return quantise


def mxfp4_experts():
    folder = HERE / "mxfp4"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tensors, expected = {}, {}
    for name, (n, k) in {"gate_up_proj": (128, 64), "down_proj": (64, 64)}.items():
        full = LAYER + "mlp.experts." + name
        packed_pairs = torch.from_numpy(rng.integers(0, 256, (4, n, k // 32, 16), dtype=np.uint8))
        scales = torch.from_numpy(rng.integers(100, 140, (4, n, k // 32), dtype=np.uint8))
        tensors[full + "_blocks"], tensors[full + "_scales"] = packed_pairs, scales
        weight = convert_moe_packed_tensors(packed_pairs, scales).float()  # [experts, in, out]
        weight = weight.transpose(1, 2).contiguous()
        assert weight.shape == (4, n, k)
        expected[full] = dict(dtype="mxfp4", shape=[4, n, k], hash=fnv1a((weight + 0.0).numpy().tobytes()))
    config = dict(model_type="gpt_oss", quantization_config=dict(quant_method="mxfp4", modules_to_not_convert=[]))
    finish(folder, config, tensors, expected)


def main():
    fp8_config = dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic")
    case("fp8_block", dict(fp8_config, weight_block_size=[128, 128]), fp8(*blocks(128), ".weight_scale_inv"), "f8x128")
    case("fp8_small_block", dict(fp8_config, weight_block_size=[32, 32]), fp8(*blocks(32), ".weight_scale_inv", torch.bfloat16), "f32")
    case("fp8_row", dict(quant_method="fbgemm_fp8"), fp8(*per_row, ".weight_scale"), "f8x128")
    gptq_config = dict(quant_method="gptq", bits=4, group_size=32, desc_act=False, sym=True, damp_percent=0.01)
    case("gptq_sym", gptq_config, gptq(), "q4_0")
    case("gptq_asym_v2", dict(gptq_config, sym=False, checkpoint_format="gptq_v2"), gptq(symmetric=False, version=2), "q5_0")
    case("gptq_asym_v1", dict(gptq_config, sym=False), gptq(symmetric=False), "q5_0")
    case("gptq_act_order", dict(gptq_config, desc_act=True), gptq(act_order=True), "f32")
    case("gptq_8bit", dict(gptq_config, bits=8, group_size=128), gptq(bits=8, group=128), "q8_0")
    case("awq", dict(quant_method="awq", bits=4, group_size=64, zero_point=True, version="gemm"), awq(), "q5_0")
    case("ct_int4_group", compressed("pack-quantized", num_bits=4, type="int", symmetric=True, strategy="group", group_size=32),
         packed(4, 32, True, torch.bfloat16), "q4_0")
    case("ct_int4_asym", compressed("pack-quantized", num_bits=4, type="int", symmetric=False, strategy="group", group_size=64),
         packed(4, 64, False, torch.float16), "q5_0")
    case("ct_int8_channel", compressed("int-quantized", num_bits=8, type="int", symmetric=True, strategy="channel"), int8(torch.float32), "i8x128")
    case("ct_fp8_channel", compressed("float-quantized", num_bits=8, type="float", symmetric=True, strategy="channel"),
         fp8(*per_row, ".weight_scale", torch.bfloat16), "f8x128")
    case("ct_fp8_tensor", compressed("float-quantized", num_bits=8, type="float", symmetric=True, strategy="tensor"),
         fp8(*per_tensor, ".weight_scale", torch.bfloat16), "f8x128")
    bnb_config = dict(quant_method="bitsandbytes", load_in_4bit=True, load_in_8bit=False, bnb_4bit_quant_type="nf4")
    case("bnb_nf4", dict(bnb_config, bnb_4bit_use_double_quant=False), nf4(False), "nf4")
    case("bnb_nf4_double", dict(bnb_config, bnb_4bit_use_double_quant=True), nf4(True), "nf4")
    mxfp4_experts()


if __name__ == "__main__":
    main()
