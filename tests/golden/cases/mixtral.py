"""Mixtral: every layer has experts, two of four per token, weights of the chosen normalised."""
import gguf_experts

MODEL = "MixtralForCausalLM"
BASE = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
            vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
            num_local_experts=4, num_experts_per_tok=2, rope_theta=1e6)


def randomise(name, noise):
    if name.endswith("gate.weight"):
        return noise * 2 * noise.shape[-1] ** -0.5  # clear decisions
    return None


def metadata(writer, config):
    writer.add_expert_count(config.num_local_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)


GGUF = dict(arch="llama", metadata=metadata, tensors=lambda model: gguf_experts.tensors(model, "llama", rope_rows=True))
CASES = {
    "mixtral_fp32": dict(dtype="float32", config=dict(tie_word_embeddings=False), gguf=["Q8_0"]),
    "mixtral_top1_bf16": dict(dtype="bfloat16", decisive=True, prompts=(1, 9, 24), config=dict(num_hidden_layers=1, num_experts_per_tok=1, tie_word_embeddings=True)),
}
