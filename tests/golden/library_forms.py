"""Makes library_forms.json: how transformers itself keeps the experts of each golden model that has them, which is also
how it writes them when asked for no other form (save_pretrained(save_original_format=False)): names, shapes and a hash
(64-bit FNV-1a) of the bytes. model_store/formats/library_form_test.cpp writes and reads the same.

    python3 library_forms.py library_forms.json        # needs torch and transformers 5
"""
import json
import os
import sys
import tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def names_in(path):
    with safe_open(os.path.join(path, "model.safetensors"), "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def main():
    out = {}
    for case in sorted(os.listdir(HERE)):
        config_file = os.path.join(HERE, case, "config.json")
        if not os.path.exists(config_file):
            continue
        config = open(config_file).read()
        if "expert" not in config or "quantization_config" in config:
            continue
        model = AutoModelForCausalLM.from_pretrained(os.path.join(HERE, case), dtype="auto")
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder, save_original_format=False)
            other = names_in(folder)
            model.save_pretrained(folder)
            published = names_in(folder)
        differ = {name: t for name, t in other.items() if name not in published}
        if differ:
            out[case] = {name: {"shape": list(t.shape), "hash": fnv(t.contiguous().view(torch.uint8).numpy().tobytes())}
                         for name, t in sorted(differ.items())}
    with open(sys.argv[1], "w") as file:
        json.dump(out, file, indent=0, sort_keys=True)
        file.write("\n")
    print({case: len(tensors) for case, tensors in out.items()})


main()
