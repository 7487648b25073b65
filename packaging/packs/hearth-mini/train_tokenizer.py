#!/usr/bin/env python3
"""Trains Hearth mini's tokenizer: byte-level BPE over the generated text and the handbook. Python's standard library only.

    train_tokenizer.py --corpus DIR [--out DIR] [--vocab-size 2560]

Reads DIR/chat.jsonl and DIR/stories.jsonl (make_corpus.py) and writes tokenizer.json, tokenizer_config.json and
generation_config.json in Hugging Face's formats. The same text gives the same files.

How BPE works: every word is a list of bytes; the most frequent neighbouring pair in the whole text becomes one token; repeat
until the vocabulary is full. Equal counts are settled by the spelling of the pair, so the order is fixed.
"""
import argparse
import collections
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
HANDBOOK = HERE.parents[2] / "docs" / "handbook"

SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
BOS, EOT, IM_START, IM_END, PAD = range(5)

# What tokenizer.json says. Digits stand alone, so that sums are learned digit by digit.
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# The same in the words of Python's re, which knows no \p{..}.
SPLIT_RE = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\r\n\w]|_)?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

MAX_TOKEN_BYTES = 18  # Chinese has no spaces: without a limit whole sentences would become tokens

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_letters():
    """GPT-2's table: each byte as one printable character, so that tokens can be written in JSON."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters, extra = {}, 0
    for byte in range(256):
        if byte in printable:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + extra)
            extra += 1
    return letters


def read_texts(corpus):
    with open(corpus / "chat.jsonl", encoding="utf-8") as lines:
        for line in lines:
            for message in json.loads(line)["messages"]:
                yield message["role"] + "\n"
                yield message["content"]
    with open(corpus / "stories.jsonl", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]
    for page in sorted(HANDBOOK.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for _ in range(20):  # what users will fine-tune on looks like this, not like questions
            yield text


def count_words(texts):
    """Words and how often they count: damped, because an answer repeated 200 times is not 200 times as interesting."""
    counts = collections.Counter()
    for text in texts:
        counts.update(SPLIT_RE.findall(text))
    return {word: int(count ** 0.75) for word, count in counts.items() if count > 2}  # rare words are mostly typing errors


def train(word_counts, n_merges):
    letters = byte_letters()
    words = [([letters[b] for b in word.encode("utf-8")], count) for word, count in sorted(word_counts.items())]
    pair_counts, where = collections.Counter(), collections.defaultdict(set)
    for index, (tokens, count) in enumerate(words):
        for pair in zip(tokens, tokens[1:]):
            pair_counts[pair] += count
            where[pair].add(index)
    merges = []
    while len(merges) < n_merges:
        allowed = ((count, pair) for pair, count in pair_counts.items() if count > 1 and len(pair[0]) + len(pair[1]) <= MAX_TOKEN_BYTES)
        best = max(allowed, default=None)
        if best is None:
            break
        pair = best[1]
        merges.append(pair)
        for index in where.pop(pair):
            tokens, count = words[index]
            for old in zip(tokens, tokens[1:]):
                pair_counts[old] -= count
            merged = merge_pair(tokens, pair)
            words[index] = (merged, count)
            for new in zip(merged, merged[1:]):
                pair_counts[new] += count
                where[new].add(index)
        pair_counts = collections.Counter({p: c for p, c in pair_counts.items() if c > 0})
    n_tokens = sum(len(tokens) * count for tokens, count in words)
    return merges, n_tokens


def merge_pair(tokens, pair):
    merged, i = [], 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            merged.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def tokenizer_document(merges):
    vocab = {token: i for i, token in enumerate(SPECIALS)}
    for token in sorted(byte_letters().values()):
        vocab[token] = len(vocab)
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    bos = SPECIALS[BOS]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                         for i, token in enumerate(SPECIALS)],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                      {"SpecialToken": {"id": bos, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {bos: {"id": bos, "ids": [BOS], "tokens": [bos]}}}]},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab,
                  "merges": [f"{left} {right}" for left, right in merges]},
    }


def write_json(path, document):
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", required=True, type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--vocab-size", type=int, default=2560)
    args = parser.parse_args()
    word_counts = count_words(read_texts(args.corpus))
    merges, n_tokens = train(word_counts, args.vocab_size - len(SPECIALS) - 256)
    document = tokenizer_document(merges)
    args.out.mkdir(parents=True, exist_ok=True)
    write_json(args.out / "tokenizer.json", document)
    write_json(args.out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIALS[BOS], "eos_token": SPECIALS[IM_END], "pad_token": SPECIALS[PAD],
        "model_max_length": 1024, "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE})
    write_json(args.out / "special_tokens_map.json", {"bos_token": SPECIALS[BOS], "eos_token": SPECIALS[IM_END], "pad_token": SPECIALS[PAD]})
    write_json(args.out / "generation_config.json", {"bos_token_id": BOS, "eos_token_id": [IM_END, EOT], "pad_token_id": PAD, "do_sample": False, "max_new_tokens": 256})
    print(json.dumps({"vocab_size": len(document["model"]["vocab"]), "distinct_words": len(word_counts),
                      "tokens_per_word": round(n_tokens / sum(word_counts.values()), 3)}))


if __name__ == "__main__":
    main()
