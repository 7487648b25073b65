"""BERT as a cross-encoder: one score of a pair, whose second half is of type 1."""
import torch

MODEL = "BertForSequenceClassification"


def randomise(name, noise):
    return 1.0 + 0.2 * noise if "LayerNorm.weight" in name else None


TASK = "rerank"


def outputs(model, ids):
    types = [int(i >= (len(ids) + 1) // 2) for i in range(len(ids))]
    return model(torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits


BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=64, max_position_embeddings=64,
            type_vocab_size=2, hidden_act="gelu", num_labels=1)
CASES = {
    "bert_reranker_fp32": dict(dtype="float32", config=dict()),
    "bert_reranker_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1)),
}
