"""BERT as a cross-encoder: one score of a pair, whose second half is of type 1."""
import json

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

MODEL = "BertForSequenceClassification"


def randomise(name, noise):
    return 1.0 + 0.2 * noise if "LayerNorm.weight" in name else None


TASK = "rerank"


def outputs(model, ids):
    types = [int(i >= (len(ids) + 1) // 2) for i in range(len(ids))]
    return model(torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits


QUERY = "where does the box keep models?"
DOCUMENTS = ["Packs keep models on the box.", "The fox jumps over the dog.", "models " * 40]


def write_texts(folder, model):
    """A WordPiece tokenizer, and texts with what the library makes of them: ids, types and scores of pairs, the longest cut."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator([QUERY] + DOCUMENTS, trainers.WordPieceTrainer(vocab_size=model.config.vocab_size, special_tokens=specials, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]")
    fast.save_pretrained(folder)
    results = []
    for document in DOCUMENTS:
        encoded = fast(QUERY, document, truncation="only_second", max_length=model.config.max_position_embeddings, return_token_type_ids=True)
        with torch.no_grad():
            score = model(torch.tensor([encoded["input_ids"]]), token_type_ids=torch.tensor([encoded["token_type_ids"]])).logits[0, 0].item()
        results.append(dict(document=document, ids=encoded["input_ids"], types=encoded["token_type_ids"], score=score))
    (folder / "expected_pairs.json").write_text(json.dumps(dict(query=QUERY, pairs=results), indent=1) + "\n")


BASE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, vocab_size=64, max_position_embeddings=64,
            type_vocab_size=2, hidden_act="gelu", num_labels=1)
CASES = {
    "bert_reranker_fp32": dict(dtype="float32", extras=write_texts, config=dict(vocab_size=96)),
    "bert_reranker_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1)),
}
