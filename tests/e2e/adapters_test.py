"""Adapters from end to end by the command line and the service: import, list, run, merge, export, train, go on, deploy,
refuse. Usage: adapters_test.py HEARTH GOLDEN_FOLDER."""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

hearth, golden = sys.argv[1:3]
work = tempfile.mkdtemp(prefix="hearth-adapters-")
state = os.path.join(work, "state")


def run(*arguments, code=0):
    done = subprocess.run([hearth, "--state-dir", state, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def run_json(*arguments, code=0):
    return json.loads(run(*arguments, "--json", code=code).stdout)


def check(condition, what):
    print(("ok    " if condition else "FAIL  ") + what)
    assert condition, what


def at(*parts):
    return os.path.join(work, *parts)


def tensors(file):
    """name → numbers, of a safetensors file with I32 and F32."""
    with open(file, "rb") as f:
        data = f.read()
    n = struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, t in json.loads(data[8:8 + n]).items():
        begin, end = (8 + n + offset for offset in t.get("data_offsets", (0, 0)))
        if name != "__metadata__":
            out[name] = struct.unpack(f"<{(end - begin) // 4}{'i' if t['dtype'] == 'I32' else 'f'}", data[begin:end])
    return out


def difference(name, expected):
    ids = ",".join(str(i) for i in expected["ids"])
    got = [x for row in run_json("logits", name, "--ids", ids)["logits"] for x in row]
    return max(abs(a - b) for a, b in zip(got, expected["logits"])) / max(abs(b) for b in expected["logits"])


def base_model(name):
    """A golden checkpoint, with a tokenizer beside it: without one nothing is imported."""
    folder = at("bases", name)
    if not os.path.exists(folder):
        shutil.copytree(os.path.join(golden, name), folder)
        with open(os.path.join(folder, "tokenizer.json"), "w") as f:
            json.dump({"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}, f)
    return folder


def from_peft():
    adapter = os.path.join(golden, "adapters", "plain")
    expected = tensors(os.path.join(adapter, "expected.safetensors"))
    missing = run("import", adapter, "--name", "plain", code=1).stderr
    check("golden/gqa_untied_fp32" in missing and "--base" in missing, "an adapter whose base is not here is refused")
    check("no tokenizer" in run("import", os.path.join(golden, "gqa_untied_fp32"), code=1).stderr, "a base without a tokenizer is refused")
    run("import", base_model("gqa_untied_fp32"), "--name", "other-name")
    check("there are: other-name" in run("import", adapter, "--name", "plain", code=1).stderr, "and told what is here")
    check(run_json("import", adapter, "--name", "told", "--base", "other-name")["parent"] == "other-name", "--base")
    run("import", base_model("head_dim_fp32"))
    check("another model" in run("import", adapter, "--name", "x", "--base", "head_dim_fp32", code=1).stderr, "a base that does not fit")
    run("import", base_model("gqa_untied_fp32"))
    imported = run_json("import", adapter, "--name", "plain")
    check(imported["kind"] == "adapter" and imported["parent"] == "gqa_untied_fp32", "the base is found by its name")
    check(imported["family"] == "llama" and imported["max_seq_len"] > 0, "and tells family and context")
    lines = run("models").stdout.splitlines()
    i = next(i for i, line in enumerate(lines) if line.startswith("gqa_untied_fp32"))
    check(lines[i + 1].startswith("  + plain") and "adapter" in lines[i + 1], "models lists it under its base")
    check(difference("plain", expected) < 1e-4, "logits are those of PEFT's merged model")
    check(run_json("plan", "plain")["verdict"] == "fits", "plan")
    check("remove" in run("rm", "gqa_untied_fp32", code=1).stderr, "the base is protected")
    run("export", "plain", "--to", at("safetensors"), "--format", "safetensors", "--dtype", "f32")
    refused = run("export", os.path.join(golden, "gqa_untied_fp32"), "--to", at("gguf"), "--format", "gguf", "--dtype", "f32", code=1).stderr
    check("tokenizer" in refused and not os.path.exists(at("gguf")), "a GGUF file needs a tokenizer, and this model has none")
    check(difference(at("safetensors"), expected) < 1e-4, "merged as safetensors")
    run("export", "plain", "--to", at("peft"), "--format", "peft")
    check(sorted(os.listdir(at("peft"))) == ["adapter_config.json", "adapter_model.safetensors", "case.json"], "as PEFT")
    check(run_json("import", at("peft"), "--name", "again")["kind"] == "adapter", "which can be imported again")
    run("export", "plain", "--to", at("for-llama"), "--format", "gguf-adapter")
    check(os.listdir(at("for-llama")) == ["plain.gguf"], "as a GGUF adapter")
    check("not an adapter" in run("export", "gqa_untied_fp32", "--to", at("no"), "--format", "peft", code=1).stderr, "a model is none")


def refused():
    folder = at("refused")
    shutil.copytree(os.path.join(golden, "adapters", "plain"), folder)
    config_file = os.path.join(folder, "adapter_config.json")
    with open(config_file) as f:
        config = json.load(f)
    for change in ({"peft_type": "IA3"}, {"peft_type": "PREFIX_TUNING"}, {"use_qalora": True}, {"init_lora_weights": "pissa"}):
        with open(config_file, "w") as f:
            json.dump({**config, **change}, f)
        key, value = next(iter(change.items()))
        said = run("import", folder, code=1).stderr
        check((value if key == "peft_type" else key) in said and ("merge" in said or "train a LoRA" in said), f"refused by name: {value}")
    check("refused" not in [m["name"] for m in run_json("models")["models"]], "and not in the store")


def recipe(name, model, *lines):
    file = at(name + ".toml")
    with open(file, "w") as f:
        f.write(f'n_threads = 2\n[model]\ninit = "{model}"\n[data]\npath = "{at("data.jsonl")}"\nmax_seq_len = 64\n')
        f.write('[method]\ntype = "lora"\nrank = 4\nalpha = 8\n[schedule]\nn_steps = 4\n[batch]\nrows = 1\n')
        f.write("[eval]\nn_samples = 1\nmax_answer_tokens = 4\n[optimizer]\nlearning_rate = 1e-2\n[output]\n" + "\n".join(lines) + "\n")
    return file


def trained():
    with open(at("data.jsonl"), "w") as f:
        for i in range(30):
            f.write(json.dumps({"messages": [{"role": "user", "content": f"{i}?"}, {"role": "assistant", "content": f"{i + 1}"}]}) + "\n")
    run("import", os.path.join(golden, "sharded_tokenizer_bf16"), "--name", "base")
    small = run_json("train", recipe("small", "base", "merge = false"))
    check(small["result"] == small["adapter"] and small["result"].endswith("result/adapter"), "merge = false leaves the adapter")
    check(sorted(os.listdir(at("small-run", "result"))) == ["adapter"], "and nothing else")
    adapter = run_json("import", small["result"], "--name", "small")
    check(adapter["kind"] == "adapter" and adapter["parent"] == "base", "it is imported with its base")
    loss = run_json("eval", "small", "--data", at("data.jsonl"))["loss"]
    check(loss < run_json("eval", "base", "--data", at("data.jsonl"))["loss"], "it has learned")
    further = run_json("train", recipe("further", "small"))
    check(abs(further["eval_loss_before"] - small["eval_loss_after"]) < 1e-3, "training goes on where the adapter stopped")
    check(further["eval_loss_after"] < further["eval_loss_before"], "and comes further")
    with open(os.path.join(further["adapter"], "adapter_config.json")) as f:
        check(json.load(f)["base_model_name_or_path"] == "base", "its base is the base")
    check(os.path.exists(os.path.join(further["result"], "config.json")), "merged, too")
    q8 = run_json("train", recipe("q8", "base", 'dtype = "q8_0"'))
    check(q8["result"].endswith("model-q8_0.gguf"), "q8_0 is a .gguf")
    check(run_json("import", os.path.dirname(q8["result"]), "--name", "q8")["dtype"] == "q8_0", "and that is what is imported")
    wrong = run("train", recipe("wrong", "base", "merge = false", 'dtype = "q8_0"'), code=1).stderr
    check("output.merge" in wrong, "a dtype of what is not written is refused")


def on_a_gguf_base():
    """As the bundled model is: one .gguf file."""
    shutil.copy(os.path.join(golden, "sharded_tokenizer_bf16", "model-F32.gguf"), at("one.gguf"))
    run("import", at("one.gguf"), "--name", "one")
    first = run_json("train", recipe("onto", "one", "merge = false"))
    check(run_json("import", at("onto-run", "result", "adapter"), "--name", "onto")["parent"] == "one", "trained on a .gguf")
    loss = run_json("eval", "onto", "--data", at("data.jsonl"))["loss"]
    check(loss < run_json("eval", "one", "--data", at("data.jsonl"))["loss"], "it has learned")
    check(run_json("plan", "onto")["verdict"] == "fits", "plan")
    further = run_json("train", recipe("onto-further", "onto"))
    check(abs(further["eval_loss_before"] - first["eval_loss_after"]) < 1e-3, "training goes on where the adapter stopped")
    for form in ("safetensors", "gguf"):
        run("export", "onto", "--to", at("onto-" + form), "--format", form, "--dtype", "f32")
        merged = at("onto-" + form) if form == "safetensors" else at("onto-gguf", "onto.gguf")
        check(abs(run_json("eval", merged, "--data", at("data.jsonl"))["loss"] - loss) < 1e-3, "merged as " + form)
    for form in ("peft", "gguf-adapter"):
        run("export", "onto", "--to", at("onto-" + form), "--format", form)
    check(run_json("import", at("onto-peft"), "--name", "onto-again")["parent"] == "one", "as PEFT, and back")
    check(os.listdir(at("onto-gguf-adapter")) == ["onto.gguf"], "as a GGUF adapter")


def served():
    service = subprocess.Popen([hearth, "--state-dir", state, "serve", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        while "listening on" not in (line := service.stderr.readline()):
            assert line, "the service ended"
        said = run("chat", "small", "hello", code=1).stderr
        check("an adapter of base" in said and "hearth deploy small" in said, "chat on an adapter says what it is")
        check(run_json("deploy", "small")["state"] == "ready", "an adapter is deployed")
        chat = run_json("chat", "small", "3?", "--max-tokens", "4", "--temp", "0")["text"]
        alone = run_json("run", "small", "3?", "--max-tokens", "4", "--temp", "0")["text"]
        check(chat == alone, "and answers as it does alone")
        said = run("deploy", "small", "--max-seq-len", "999999", code=1).stderr
        check("999999" in said or "limit" in said, "a context that the model does not have")
        run("undeploy", "small")
    finally:
        service.send_signal(signal.SIGTERM)
        check(service.wait(30) == 0, "serve ends in order")


try:
    from_peft()
    refused()
    trained()
    on_a_gguf_base()
    served()
finally:
    shutil.rmtree(work, ignore_errors=True)
