#!/usr/bin/env python3
"""Writes the golden fixtures of this folder: tiny Llama checkpoints saved by the `transformers` library itself, the
logits it computes for them, and one of them as GGUF files written with gguf-py. See README.md for the layout.

Needs: pip install torch transformers safetensors tokenizers gguf numpy (not needed to run the tests).
Run:   python3 make_golden.py        (rewrites every case folder; the same library versions give the same bytes)
"""
import json
import pathlib
import shutil

import gguf
import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent

# Small on purpose: every matrix row is a multiple of 32 (one Q8_0 / Q4_0 block), and all fixtures together stay below 3 MB.
BASE = dict(
    hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    vocab_size=128, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
)

# The scaled cases have an original context of 16, so that the 48-token prompt runs far beyond it.
CASES = {
    "gqa_untied_fp32": dict(dtype="float32", config=dict(rope_theta=10000.0, tie_word_embeddings=False)),
    "mha_tied_bf16": dict(dtype="bfloat16", config=dict(num_key_value_heads=4, rope_theta=10000.0, tie_word_embeddings=True)),
    "rope_llama3_fp32": dict(dtype="float32", old_config_keys=True, config=dict(num_hidden_layers=1, rope_theta=500000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16))),
    "rope_yarn_fp32": dict(dtype="float32", config=dict(num_hidden_layers=1, rope_theta=10000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0))),
    "rope_linear_bf16": dict(dtype="bfloat16", config=dict(num_hidden_layers=1, rope_theta=10000.0, tie_word_embeddings=False, rope_scaling=dict(
        rope_type="linear", factor=4.0))),
    "head_dim_fp32": dict(dtype="float32", config=dict(num_hidden_layers=1, head_dim=32, rope_theta=10000.0, tie_word_embeddings=True,
                                                       num_attention_heads=4, num_key_value_heads=1)),
    "sharded_tokenizer_bf16": dict(dtype="bfloat16", shard="64KB", tokenizer=True, gguf=True, config=dict(
        vocab_size=384, rope_theta=10000.0, tie_word_embeddings=True)),
}
PROMPT_LENGTHS = (1, 9, 48)
N_GGUF_PROMPTS = 2

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
TOKENIZER_TEXT = [
    "Hearth runs models on one box. It installs packs from a USB stick and keeps everything offline.",
    "The quick brown fox jumps over the lazy dog; it's 1234567 times faster than we'd hoped!",
    "Models, packs and updates: the service checks each signature before anything is installed.",
    "In the beginning there was a box, and the box had no network, and that was good.",
    "你好，世界。模型在这台机器上运行。",
]


def random_weights(model, seed, logit_scale):
    """Fan-in scaling and norms around 1: logits of order 1 to 5 (bf16: about 1, so that the library's own rounding noise
    stays below 2e-2), and no layer that another one hides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1.0 + 0.2 * noise if "norm" in name else noise * parameter.shape[-1] ** -0.5)
        model.model.norm.weight.mul_(logit_scale)


def build_tokenizer(vocab_size):
    tokenizer = Tokenizer(models.BPE(ignore_merges=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(TOKENIZER_TEXT, trainer)
    bos = SPECIALS[0]
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B",
                                      special_tokens=[(bos, tokenizer.token_to_id(bos))])])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token="<|eot_id|>",
                                   chat_template=CHAT_TEMPLATE, clean_up_tokenization_spaces=False)


def tokenizer_expectations(tokenizer):
    texts = ["Hello world", " leading and  double  spaces\n\n\tand a tab", "It's we'll 12345 3.14", "模型：你好！", "naïve café 🙂",
             "<|eot_id|>text<|begin_of_text|>", ""]
    messages = [[{"role": "user", "content": "How do I install a pack?"}],
                [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "  Hi  "},
                 {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "你好"}]]
    encoded = [dict(text=text, ids=tokenizer.encode(text), ids_no_special=tokenizer.encode(text, add_special_tokens=False))
               for text in texts]
    rendered = []
    for case in messages:
        text = tokenizer.apply_chat_template(case, tokenize=False, add_generation_prompt=True)
        rendered.append(dict(messages=case, text=text, ids=tokenizer.encode(text, add_special_tokens=False)))
    return dict(encode=encoded, chat=rendered)


def logits_of(model, prompts):
    model.eval()
    with torch.no_grad():
        return [model(torch.tensor([ids])).logits[0].float().numpy() for ids in prompts]


def write_expectations(path, prompts, logits, exact=None):
    tensors = {}
    for i, ids in enumerate(prompts):
        tensors[f"ids_{i}"] = np.array(ids, dtype=np.int32)
        tensors[f"logits_{i}"] = np.ascontiguousarray(logits[i], dtype=np.float32)
        if exact is not None:
            tensors[f"logits_fp32_{i}"] = np.ascontiguousarray(exact[i], dtype=np.float32)
    save_file(tensors, path)


def permute_for_rope(weight, n_heads):
    """Hugging Face rotates halves, llama.cpp rotates neighbours: the rows of wq and wk change places per head."""
    return weight.reshape(n_heads, 2, weight.shape[0] // n_heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def gguf_tensors(model):
    config = model.config
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    layer = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
             "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    for i in range(config.num_hidden_layers):
        names |= {f"model.layers.{i}.{hf}.weight": f"blk.{i}.{theirs}.weight" for hf, theirs in layer.items()}
    for hf_name, parameter in model.named_parameters():
        weight = parameter.detach().float().numpy()
        if "q_proj" in hf_name:
            weight = permute_for_rope(weight, config.num_attention_heads)
        if "k_proj" in hf_name:
            weight = permute_for_rope(weight, config.num_key_value_heads)
        yield hf_name, names[hf_name], weight


def write_gguf(folder, model, tokenizer, kind, prompts):
    """One GGUF file: matrices in `kind`, norms in F32 as llama.cpp's converter leaves them. Expectations: the logits of
    transformers (fp32) over the weights that gguf-py decodes from what it encoded."""
    config = model.config
    quant = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(folder / f"model-{kind}.gguf", "llama")
    writer.add_name("golden")
    writer.add_file_type({"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}[kind])
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    add_gguf_tokenizer(writer, tokenizer, config)
    decoded = {}
    for hf_name, name, weight in gguf_tensors(model):
        if weight.ndim == 1:
            writer.add_tensor(name, weight)
            decoded[name] = (hf_name, weight)
            continue
        data = gguf.quants.quantize(weight, quant)
        writer.add_tensor(name, data, raw_dtype=quant)
        decoded[name] = (hf_name, gguf.quants.dequantize(data, quant).reshape(weight.shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    copy = LlamaForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32)
    parameters = dict(copy.named_parameters())
    with torch.no_grad():
        for name, (hf_name, weight) in decoded.items():
            parameters[hf_name].copy_(torch.from_numpy(unpermuted(weight, name, config)))
    write_expectations(folder / f"expected_logits-{kind}.safetensors", prompts, logits_of(copy, prompts))
    if kind in ("Q8_0", "Q4_0"):  # as stored: wq still permuted
        few = ("blk.0.attn_q.weight", "blk.1.ffn_down.weight")
        save_file({name: np.ascontiguousarray(decoded[name][1]) for name in few}, folder / f"dequantised-{kind}.safetensors")


def unpermuted(weight, name, config):
    n_heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name.split(".")[-2])
    if n_heads is None:
        return weight
    return weight.reshape(n_heads, weight.shape[0] // n_heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def add_gguf_tokenizer(writer, tokenizer, config):
    document = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = [tokenizer.convert_ids_to_tokens(i) or f"<unused{i}>" for i in range(config.vocab_size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIALS else
                            gguf.TokenType.UNUSED if t.startswith("<unused") else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in document["model"]["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def use_old_config_keys(path):
    """transformers 5 writes rope_parameters and dtype; most published checkpoints say rope_theta, rope_scaling, torch_dtype."""
    config = json.loads(path.read_text())
    scaling = config.pop("rope_parameters")
    config["rope_theta"] = scaling.pop("rope_theta")
    config["rope_scaling"] = scaling
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def make_case(name, spec, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    dtype = getattr(torch, spec["dtype"])
    overrides = dict(spec["config"])
    tokenizer = build_tokenizer(overrides["vocab_size"]) if spec.get("tokenizer") else None
    if tokenizer is not None:
        overrides |= dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
    config = LlamaConfig(**(BASE | overrides))
    model = LlamaForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32)
    random_weights(model, seed, logit_scale=1.0 if dtype == torch.float32 else 0.25)
    model = model.to(dtype)
    model.save_pretrained(folder, max_shard_size=spec.get("shard", "5GB"))
    if spec.get("old_config_keys"):
        use_old_config_keys(folder / "config.json")
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
        (folder / "expected_tokens.json").write_text(json.dumps(tokenizer_expectations(tokenizer), ensure_ascii=False, indent=1))

    # Expectations come from what was SAVED: read back by the library, not from the model in memory.
    saved = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=dtype)
    generator = np.random.default_rng(seed)
    prompts = [generator.integers(3, config.vocab_size - 8, n).tolist() for n in PROMPT_LENGTHS]
    logits = logits_of(saved, prompts)
    exact = None
    if dtype == torch.bfloat16:
        exact = logits_of(LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32), prompts)
    write_expectations(folder / "expected_logits.safetensors", prompts, logits, exact)
    case = dict(name=name, dtype=spec["dtype"], n_prompts=len(prompts), max_abs_logit=float(max(np.abs(l).max() for l in logits)),
                transformers=transformers.__version__, torch=torch.__version__.split("+")[0])
    if exact is not None:
        case["bf16_noise"] = float(max(np.abs(a - b).max() for a, b in zip(logits, exact)))
    if spec.get("gguf"):
        case["gguf"] = ["F32", "F16", "BF16", "Q8_0", "Q4_0"]
        wide = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
        for kind in case["gguf"]:
            write_gguf(folder, wide, tokenizer, kind, prompts[:N_GGUF_PROMPTS])
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    return case


def main():
    torch.set_num_threads(1)
    for i, (name, spec) in enumerate(CASES.items()):
        print(json.dumps(make_case(name, spec, seed=1000 + i)))


if __name__ == "__main__":
    main()
