#!/usr/bin/env python3
"""Writes the golden fixtures of this folder: tiny random-weight checkpoints saved by the `transformers` library itself,
the logits it computes for them, and for some the same weights as GGUF files written with gguf-py. README.md has the layout
of a case; cases/<family>.py says which cases a family has.

Needs: pip install torch transformers safetensors tokenizers gguf numpy (not needed to run the tests).
Run:   python3 make_golden.py [FAMILY | CASE ...]     (all families by default; the same library versions give the same bytes)

A family's file has:
  MODEL          the transformers class, "LlamaForCausalLM"; its config class is found through it
  CASES          name of the case -> dict(dtype="float32"|"bfloat16", config={...over BASE...}, and if wanted:
                   prompts=(1, 9, 48)   lengths: cross every window and chunk border
                   seed=N, decisive=True (bf16 with experts), shard="64KB", tokenizer=True, old_config_keys=True,
                   gguf=["F32", ...]    kinds of GGUF files
                   extras=f             f(folder, model) writes more files
                   edit_config=f        f(dict) changes config.json after saving (older or partial spellings)
                   mark={...}           goes into case.json as it is: what the test has to know)
  BASE           (optional) replaces the sizes below
  TASK, outputs  (optional) "embed" or "rerank": an encoder; outputs(model, ids) is what is compared, in place of logits
  BUFFERS        (optional) ends of names of buffers that count as weights
  NORM_CENTER    (optional) 1.0; 0.0 where the library computes with 1 + weight
  randomise      (optional) f(name, noise) -> weight or None, before the default rule
  GGUF           (optional) dict(arch="llama", rope_rows=True, norm_offset=0.0, metadata=f(writer, config),
                   tensors=f(model) -> [(gguf name, numpy array, restore)], see default_gguf_tensors;
                   head_dim, kv_heads, d_ff = f(config) where they are not the configuration's own)
"""
import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile

import gguf
import numpy as np
import steady_routers
import torch
import transformers
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent

# Small on purpose: every matrix row is a multiple of 32 (one Q8_0 / Q4_0 block), and a case stays below 200 KB.
BASE = dict(
    hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    vocab_size=64, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
)
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


def family_module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model_class(family):
    return getattr(transformers, family.MODEL)


def weights_of(family, model):
    """Parameters, and the buffers that a checkpoint holds too."""
    yield from model.named_parameters()
    yield from ((name, buffer) for name, buffer in model.named_buffers() if name.endswith(tuple(getattr(family, "BUFFERS", ()))))


def random_weights(family, model, seed, logit_scale):
    """Fan-in scaling and norms around their centre: logits of order 1 to 5 (bf16: about 1, so that the library's own
    rounding noise stays below 2e-2), and no layer that another one hides."""
    center = getattr(family, "NORM_CENTER", 1.0)
    randomise = getattr(family, "randomise", lambda name, noise: None)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in weights_of(family, model):
            noise = torch.randn(parameter.shape, generator=generator)
            chosen = randomise(name, noise)
            if chosen is None:
                chosen = center + 0.2 * noise if "norm" in name else noise * parameter.shape[-1] ** -0.5
            parameter.copy_(chosen)
        for name, parameter in model.named_parameters():
            if name.endswith("model.norm.weight"):
                parameter.copy_((parameter + (1 - center)) * logit_scale - (1 - center))


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


def outputs_of(family):
    return getattr(family, "outputs", lambda model, ids: model(torch.tensor([ids])).logits[0])


def logits_of(family, model, prompts):
    model.eval()
    with torch.no_grad():
        return [outputs_of(family)(model, ids).float().numpy() for ids in prompts]


def write_expectations(path, prompts, logits, exact=None):
    tensors = {}
    for i, ids in enumerate(prompts):
        tensors[f"ids_{i}"] = np.array(ids, dtype=np.int32)
        tensors[f"logits_{i}"] = np.ascontiguousarray(logits[i], dtype=np.float32)
        if exact is not None:
            tensors[f"logits_fp32_{i}"] = np.ascontiguousarray(exact[i], dtype=np.float32)
    save_file(tensors, path)


def permute_for_rope(weight, n_heads):
    """Hugging Face rotates halves, llama.cpp (in some families) neighbours: the rows of wq and wk change places per head."""
    return weight.reshape(n_heads, 2, weight.shape[0] // n_heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def unpermute_for_rope(weight, n_heads):
    return weight.reshape(n_heads, weight.shape[0] // n_heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def gguf_arch(family):
    return {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}[family.GGUF["arch"]]


def default_gguf_tensors(family, model):
    """(GGUF name, array as stored there, restore): restore(array) gives [(parameter of the model, its array)]."""
    config = model.config
    names = gguf.get_tensor_name_map(gguf_arch(family), config.num_hidden_layers)
    rope_rows, offset = family.GGUF.get("rope_rows", False), family.GGUF.get("norm_offset", 0.0)
    for hf_name, parameter in weights_of(family, model):
        name = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
        if name is not None and not name.endswith((".weight", ".bias")):
            name += ".weight"
        if name is None:
            raise ValueError(f"gguf-py has no name for {hf_name}")
        weight = parameter.detach().float().numpy()
        n_heads = 0
        if rope_rows:
            n_heads = config.num_attention_heads if ".q_proj." in hf_name else config.num_key_value_heads if ".k_proj." in hf_name else 0
        if n_heads:
            yield name, permute_for_rope(weight, n_heads), lambda w, h=hf_name, n=n_heads: [(h, unpermute_for_rope(w, n))]
        elif "norm" in hf_name and hf_name.endswith(".weight"):
            yield name, weight + np.float32(offset), lambda w, h=hf_name: [(h, w - np.float32(offset))]
        else:
            yield name, weight, lambda w, h=hf_name: [(h, w)]


def add_decoder_keys(writer, family, config):
    writer.add_head_count_kv(family.GGUF.get("kv_heads", lambda config: config.num_key_value_heads)(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    rope = config.rope_parameters or {}
    rope = rope.get("full_attention", rope)
    writer.add_rope_freq_base(rope.get("rope_theta", 10000.0))
    own_head_dim = lambda config: getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    head_dim = family.GGUF.get("head_dim", own_head_dim)(config)
    is_whole = rope.get("rope_type") == "proportional"  # there, dimensions that stand still have huge divisors
    writer.add_rope_dimension_count(int(head_dim * (1.0 if is_whole else rope.get("partial_rotary_factor", 1.0))))
    if head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)


def write_gguf(folder, family, model, tokenizer, kind, prompts):
    """One GGUF file: matrices in `kind`, vectors in F32 as llama.cpp's converter leaves them. Expectations: the logits of
    transformers (fp32) over the weights that gguf-py decodes from what it encoded."""
    config = model.config
    quant = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(folder / f"model-{kind}.gguf", family.GGUF["arch"])
    writer.add_name("golden")
    writer.add_file_type({"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}[kind])
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(family.GGUF.get("d_ff", lambda config: config.intermediate_size)(config))
    writer.add_head_count(config.num_attention_heads)
    if not hasattr(family, "TASK"):
        add_decoder_keys(writer, family, config)
    family.GGUF.get("metadata", lambda writer, config: None)(writer, config)
    if tokenizer is not None:
        add_gguf_tokenizer(writer, tokenizer, config)
    decoded, restored = {}, []
    tensors = family.GGUF["tensors"](model) if "tensors" in family.GGUF else default_gguf_tensors(family, model)
    for name, weight, restore in tensors:
        if weight.ndim == 1 or weight.shape[-1] % 32 != 0 or "norm" in name:  # vectors in any shape, filters
            writer.add_tensor(name, weight)
            decoded[name] = weight
        else:
            data = gguf.quants.quantize(weight, quant)
            writer.add_tensor(name, data, raw_dtype=quant)
            decoded[name] = gguf.quants.dequantize(data, quant).reshape(weight.shape)
        restored += restore(decoded[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    other = model_class(family)._from_config(config, attn_implementation="eager", dtype=torch.float32)
    parameters = dict(weights_of(family, other))
    with torch.no_grad():
        for hf_name, weight in restored:
            parameters[hf_name].copy_(torch.from_numpy(np.array(weight)))
    write_expectations(folder / f"expected_logits-{kind}.safetensors", prompts, logits_of(family, other, prompts))
    if kind in ("Q8_0", "Q4_0") and tokenizer is not None:  # as stored: wq still permuted
        few = ("blk.0.attn_q.weight", "blk.1.ffn_down.weight")
        save_file({name: np.ascontiguousarray(decoded[name]) for name in few}, folder / f"dequantised-{kind}.safetensors")


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


def load(family, folder, dtype):
    return model_class(family).from_pretrained(folder, attn_implementation="eager", dtype=dtype)


def draw(family, spec, config, seed):
    """(seed, model, prompts, what is known of its routers). Where bf16 rounds a router's scores over one another, another
    expert answers and the library's own bf16 run is far from its fp32 run on the same weights: a `decisive` case gets
    routers of clear decisions, and takes the first seed where the smallest lead is far above what bf16 does to scores."""
    dtype = getattr(torch, spec["dtype"])
    for seed in range(seed, seed + 200):
        model = model_class(family)._from_config(config, attn_implementation="eager", dtype=torch.float32)
        random_weights(family, model, seed, logit_scale=1.0 if dtype == torch.float32 else 0.25)
        generator = np.random.default_rng(seed)
        prompts = [generator.integers(3, config.vocab_size - 8, n).tolist() for n in spec.get("prompts", PROMPT_LENGTHS)]
        if not spec.get("decisive"):
            return seed, model.to(dtype), prompts, {}
        with torch.no_grad():
            for _, weight in weights_of(family, model):  # as they will be saved
                weight.copy_(weight.to(dtype))
        steady_routers.sharpen(model.eval(), outputs_of(family), prompts, seed)
        model = model.to(dtype)
        with tempfile.TemporaryDirectory() as saved:
            model.save_pretrained(saved)
            rounded, exact = (load(family, saved, kind).eval() for kind in (dtype, torch.float32))
            seen = steady_routers.compare(outputs_of(family), exact, rounded, prompts)
        if steady_routers.is_steady(seen):
            return seed, model, prompts, dict(router_gap=seen["gap"], router_drift=seen["drift"])
    raise ValueError("no seed of 200 keeps every router's choice far from a draw in bf16")


def make_case(family, name, spec, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    dtype = getattr(torch, spec["dtype"])
    overrides = dict(spec["config"])
    base = dict(getattr(family, "BASE", BASE))
    tokenizer = build_tokenizer(overrides["vocab_size"]) if spec.get("tokenizer") else None
    if tokenizer is not None:
        overrides |= dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
    cls = model_class(family)
    config = cls.config_class(**(base | overrides))
    seed, model, prompts, routers = draw(family, spec, config, seed)
    model.save_pretrained(folder, max_shard_size=spec.get("shard", "5GB"))
    if spec.get("old_config_keys"):
        use_old_config_keys(folder / "config.json")
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
        (folder / "expected_tokens.json").write_text(json.dumps(tokenizer_expectations(tokenizer), ensure_ascii=False, indent=1))

    # Expectations come from what was SAVED: read back by the library, not from the model in memory.
    saved = load(family, folder, dtype)
    logits = logits_of(family, saved, prompts)
    exact = logits_of(family, load(family, folder, torch.float32), prompts) if dtype == torch.bfloat16 else None
    write_expectations(folder / "expected_logits.safetensors", prompts, logits, exact)
    case = dict(name=name, dtype=spec["dtype"], seed=seed, n_prompts=len(prompts), max_abs_logit=float(max(np.abs(l).max() for l in logits)),
                transformers=transformers.__version__, torch=torch.__version__.split("+")[0])
    if exact is not None:
        case["bf16_noise"] = float(max(np.abs(a - b).max() for a, b in zip(logits, exact)))
    case |= routers
    if hasattr(family, "TASK"):
        case["task"] = family.TASK
    case |= spec.get("mark", {})
    if spec.get("gguf"):
        case["gguf"] = spec["gguf"]
        wide = load(family, folder, torch.float32)
        for kind in case["gguf"]:
            write_gguf(folder, family, wide, tokenizer, kind, prompts[:N_GGUF_PROMPTS])
    if "edit_config" in spec:
        path = folder / "config.json"
        document = json.loads(path.read_text())
        spec["edit_config"](document)
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    if "extras" in spec:
        spec["extras"](folder, load(family, folder, torch.float32))
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    return case


def main(wanted):
    torch.set_num_threads(1)
    for path in sorted((HERE / "cases").glob("*.py")):
        family = family_module(path)
        for i, (name, spec) in enumerate(family.CASES.items()):
            if wanted and path.stem not in wanted and name not in wanted:
                continue
            print(json.dumps(make_case(family, name, spec, seed=spec.get("seed", 1000 + i))))


if __name__ == "__main__":
    main(sys.argv[1:])
