"""Granite 4: Mamba 2 in most layers, attention without positions in the rest, with and without experts beside the shared
MLP."""
import numpy as np

MODEL = "GraniteMoeHybridForCausalLM"


def randomise(name, noise):
    if name.endswith("A_log"):
        return 0.7 * noise
    if name.endswith("dt_bias"):
        return -1.0 + 0.5 * noise
    if name.endswith("mamba.D"):
        return 1.0 + 0.3 * noise
    if name.endswith("conv1d.weight"):
        return 0.4 * noise
    if name.endswith("conv1d.bias"):
        return 0.2 * noise
    return None


BASE = dict(
    hidden_size=32, intermediate_size=32, shared_intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, vocab_size=64, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    mamba_n_heads=8, mamba_d_head=8, mamba_d_state=12, mamba_n_groups=1, mamba_expand=2, mamba_d_conv=4,
    mamba_chunk_size=32, layer_types=["linear_attention", "full_attention"],
    embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.125, logits_scaling=2.0,
)


def metadata(writer, config):
    writer.add_embedding_scale(config.embedding_multiplier)
    writer.add_residual_scale(config.residual_multiplier)
    writer.add_attention_scale(config.attention_multiplier)
    writer.add_logit_scale(config.logits_scaling)
    writer.add_head_count_kv([config.num_key_value_heads if kind == "full_attention" else 0 for kind in config.layer_types])
    writer.add_ssm_conv_kernel(config.mamba_d_conv)
    writer.add_ssm_state_size(config.mamba_d_state)
    writer.add_ssm_group_count(config.mamba_n_groups)
    writer.add_ssm_inner_size(config.mamba_expand * config.hidden_size)
    writer.add_ssm_time_step_rank(config.mamba_n_heads)
    writer.add_rope_scaling_finetuned(config.position_embedding_type == "rope")


def tensors(model):
    """(name there, array as stored there, restore) as llama.cpp's converter lays them out."""
    config, weights = model.config, {k: v.detach().float().numpy() for k, v in model.named_parameters()}
    yield "token_embd.weight", weights["model.embed_tokens.weight"], lambda w: [("model.embed_tokens.weight", w)]
    yield "output_norm.weight", weights["model.norm.weight"], lambda w: [("model.norm.weight", w)]
    for layer, kind in enumerate(config.layer_types):
        hf, blk = f"model.layers.{layer}.", f"blk.{layer}."

        def same(theirs, ours):
            return blk + theirs, weights[hf + ours], lambda w, n=hf + ours: [(n, w)]

        yield same("attn_norm.weight", "input_layernorm.weight")
        yield same("ffn_norm.weight", "post_attention_layernorm.weight")
        if kind == "full_attention":
            for theirs, ours, heads in (("attn_q", "q_proj", config.num_attention_heads),
                                        ("attn_k", "k_proj", config.num_key_value_heads)):
                name = f"{hf}self_attn.{ours}.weight"
                w = weights[name]
                shape = (heads, 2, w.shape[0] // heads // 2, w.shape[1])
                yield (f"{blk}{theirs}.weight", w.reshape(shape).swapaxes(1, 2).reshape(w.shape),
                       lambda w, n=name, s=shape: [(n, w.reshape(s[0], s[2], 2, s[3]).swapaxes(1, 2).reshape(w.shape))])
            yield same("attn_v.weight", "self_attn.v_proj.weight")
            yield same("attn_output.weight", "self_attn.o_proj.weight")
        else:
            yield same("ssm_in.weight", "mamba.in_proj.weight")
            yield same("ssm_out.weight", "mamba.out_proj.weight")
            yield same("ssm_conv1d.bias", "mamba.conv1d.bias")
            yield same("ssm_dt.bias", "mamba.dt_bias")
            name = hf + "mamba.conv1d.weight"
            yield blk + "ssm_conv1d.weight", weights[name].squeeze(1), lambda w, n=name: [(n, w[:, None, :])]
            name = hf + "mamba.A_log"
            yield blk + "ssm_a", -np.exp(weights[name])[:, None], lambda w, n=name: [(n, np.log(-w[:, 0]))]
            name = hf + "mamba.D"
            yield blk + "ssm_d", weights[name][:, None], lambda w, n=name: [(n, w[:, 0])]
            name = hf + "mamba.norm.weight"
            yield (blk + "ssm_norm.weight", weights[name].reshape(config.mamba_n_groups, -1),
                   lambda w, n=name: [(n, w.reshape(-1))])
        # The halves of a fused matrix are two tensors there; the first one stored waits for the second.
        name, halves = hf + "shared_mlp.input_linear.weight", []

        def half(w, n=name, h=halves):
            h.append(w)
            return [(n, np.concatenate(h))] if len(h) == 2 else []

        gate, up = np.split(weights[name], 2)
        yield blk + "ffn_gate.weight", gate, half
        yield blk + "ffn_up.weight", up, half
        yield same("ffn_down.weight", "shared_mlp.output_linear.weight")


GGUF = dict(arch="granitehybrid", metadata=metadata, tensors=tensors)
CASES = {
    "granitemoehybrid_dense_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], prompts=(1, 9, 64, 150), config=dict(
        num_local_experts=0, num_experts_per_tok=0, tie_word_embeddings=True, intermediate_size=64)),
    "granitemoehybrid_moe_fp32": dict(dtype="float32", prompts=(1, 9, 70), config=dict(
        num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=False, mamba_n_groups=2,
        position_embedding_type="rope")),
    "granitemoehybrid_moe_still_fp32": dict(dtype="float32", prompts=(1, 9, 70), config=dict(
        num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=True, mamba_n_groups=2)),
    "granitemoehybrid_bf16": dict(dtype="bfloat16", prompts=(1, 9, 70), config=dict(
        num_local_experts=0, num_experts_per_tok=0, tie_word_embeddings=True, mamba_proj_bias=True)),
    "granitemoehybrid_moe_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(
        num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=True)),
}
