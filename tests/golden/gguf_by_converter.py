#!/usr/bin/env python3
"""Adds to golden cases the GGUF file that llama.cpp's own converter makes of them, so that our reader is checked against
the program that most published files come from, and not against our idea of it.

Needs what make_golden.py needs, and a checkout of llama.cpp.
Run:   python3 gguf_by_converter.py LLAMA_CPP_FOLDER CASE...      (float32 cases; after make_golden.py)

Weights stay in F32 and there is no vocabulary, so the logits to expect are those of the case itself.
"""
import json
import pathlib
import shutil
import sys
import tempfile

from safetensors.numpy import load_file, save_file

HERE = pathlib.Path(__file__).resolve().parent
N_PROMPTS = 2  # as make_golden.py's N_GGUF_PROMPTS


def convert(folder, out):
    import gguf
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class
    hparams = ModelBase.load_hparams(folder, False)
    cls = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
    cls.set_vocab = lambda self: self.gguf_writer.add_tokenizer_model("none")
    cls.no_mtp = True
    cls(folder, gguf.LlamaFileType.ALL_F32, out, eager=True).write()


def copy_as_published(folder, to):
    """The case, with what published checkpoints spell otherwise than the library does today."""
    shutil.copytree(folder, to)
    config = json.loads((to / "config.json").read_text())
    if config["model_type"] == "granitemoehybrid":
        config["layer_types"] = [{"full_attention": "attention", "linear_attention": "mamba"}[kind] for kind in config["layer_types"]]
    (to / "config.json").write_text(json.dumps(config))
    if not (to / "tokenizer.json").exists():  # some converters count its words
        vocab = {f"<{i}>": i for i in range(config["vocab_size"])}
        (to / "tokenizer.json").write_text(json.dumps(dict(model=dict(vocab=vocab), added_tokens=[])))
    return to


def add(case):
    folder = HERE / case
    about = json.loads((folder / "case.json").read_text())
    assert about["dtype"] == "float32", f"{case}: only float32 cases"
    with tempfile.TemporaryDirectory() as temporary:
        made = pathlib.Path(temporary) / "model-F32.gguf"
        convert(copy_as_published(folder, pathlib.Path(temporary) / case), made)
        shutil.move(made, folder / made.name)
    wanted = {k: v for k, v in load_file(folder / "expected_logits.safetensors").items() if int(k.rsplit("_", 1)[1]) < N_PROMPTS}
    save_file(wanted, folder / "expected_logits-F32.safetensors")
    about["gguf"] = sorted({*about.get("gguf", []), "F32"})
    (folder / "case.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(sys.argv[1]) / "gguf-py"), sys.argv[1]]
    for name in sys.argv[2:]:
        add(name)
        print(name)
