"""BERT as an embedder: rows of every token before pooling. `types_of`: the second half of a prompt is of type 1."""
import gguf
import torch

MODEL = "BertModel"


def randomise(name, noise):
    return 1.0 + 0.2 * noise if "LayerNorm.weight" in name else None


TASK = "embed"


def types_of(ids):
    return [int(i >= (len(ids) + 1) // 2) for i in range(len(ids))]


def outputs(model, ids):
    return model(torch.tensor([ids]), token_type_ids=torch.tensor([types_of(ids)])).last_hidden_state[0]


def metadata(writer, config):
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.CLS)
    writer.add_token_type_count(config.type_vocab_size)


def tensors(model):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, model.config.num_hidden_layers)
    for name, parameter in model.named_parameters():
        if "pooler" not in name:
            yield names.get_name(name, try_suffixes=(".weight", ".bias")), parameter.detach().float().numpy(), lambda w, n=name: [(n, w)]


GGUF = dict(arch="bert", metadata=metadata, tensors=tensors)
BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=64, max_position_embeddings=64,
            type_vocab_size=2, hidden_act="gelu")
CASES = {
    "bert_fp32": dict(dtype="float32", gguf=["F16"], config=dict()),
    "bert_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1, hidden_act="gelu_new")),
}
