"""Granite 3: factors on embeddings, residuals, scores and logits."""
MODEL = "GraniteForCausalLM"


def metadata(writer, config):
    writer.add_embedding_scale(config.embedding_multiplier)
    writer.add_residual_scale(config.residual_multiplier)
    writer.add_attention_scale(config.attention_multiplier)
    writer.add_logit_scale(config.logits_scaling)


GGUF = dict(arch="granite", rope_rows=True, metadata=metadata)
SCALES = dict(embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.125, logits_scaling=2.0)
CASES = {
    "granite_fp32": dict(dtype="float32", gguf=["F16", "Q8_0"], config=dict(**SCALES, tie_word_embeddings=True)),
    "granite_bf16": dict(dtype="bfloat16", config=dict(**SCALES, num_hidden_layers=1, attention_bias=True)),
}
