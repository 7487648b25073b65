"""The command line's contract, without a service and with one. Usage: cli_test.py HEARTH MODEL_FOLDER."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

hearth, model_folder = sys.argv[1:3]
work = tempfile.mkdtemp(prefix="hearth-cli-")
state = os.path.join(work, "state")


def run(*arguments, code=0, text=None, box=None, cwd=None):
    done = subprocess.run([hearth, "--state-dir", box or state, *arguments], input=text, capture_output=True, text=True, timeout=120, cwd=cwd)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def run_json(*arguments, code=0, box=None, cwd=None):
    return json.loads(run(*arguments, "--json", code=code, box=box, cwd=cwd).stdout)


def check(condition, what):
    print(("ok    " if condition else "FAIL  ") + what)
    assert condition, what


def without_service():
    check(run_json("models") == {"models": []}, "an empty box has no models")
    check(run_json("import", model_folder, "--name", "tiny")["name"] == "tiny", "import")
    check([m["name"] for m in run_json("models")["models"]] == ["tiny"], "models")
    shown = run_json("show", "tiny")
    check(shown["family"] == "llama" and shown["files"], "show")
    check(run_json("verify", "tiny")["ok"], "verify")
    ids = run_json("tokenize", "tiny", "Hello world", "--no-special")["ids"]
    check(ids and ids == run_json("tokenize", model_folder, "Hello world", "--no-special")["ids"], "tokenize by name and by path")
    case = os.path.join(work, "case.json")
    with open(case, "w") as f:
        json.dump({"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": True, "bos_token": "", "eos_token": ""}, f)
    check("Hi" in run_json("template", "tiny", case)["text"], "template")
    broken = os.path.join(work, "broken.jinja")
    with open(broken, "w") as f:
        f.write("{{ raise_exception('no system messages') }}")
    check("no system messages" in json.dumps(run_json("template", broken, case, code=1)["error"]), "template that refuses")
    logits = run_json("logits", "tiny", "--ids", "1,2,3")["logits"]
    check(len(logits) == 3 and all(len(row) == len(logits[0]) for row in logits), "logits")
    answer = run_json("run", "tiny", "Hello", "--max-tokens", "5", "--seed", "3", "--temp", "1")
    check(answer["n_completion_tokens"] <= 5, "run")
    check(answer["text"] == run_json("run", "tiny", "Hello", "--max-tokens", "5", "--seed", "3", "--temp", "1")["text"], "run is repeatable by seed")
    encodings()
    text = os.path.join(work, "text.txt")
    with open(text, "w") as f:
        f.write("The quick brown fox jumps over the lazy dog. " * 5)
    check(run_json("perplexity", "tiny", text, "--ctx", "64")["perplexity"] > 1, "perplexity")
    check(run_json("eval", "tiny", "--data", text)["n_tokens"] > 0, "eval")
    check(run_json("bench", "tiny", "-p", "16", "-n", "4", "--repeats", "1")["decode_tokens_per_s"] > 0, "bench")
    check(run_json("plan", "tiny")["verdict"] in ("fits", "tight", "too_large"), "plan")
    check("cpu" in run_json("hw", "--no-measure"), "hw")
    run("export", "tiny", "--to", os.path.join(work, "gguf"), "--format", "gguf", "--dtype", "f32")
    gguf = [os.path.join(work, "gguf", name) for name in os.listdir(os.path.join(work, "gguf"))]
    check(run_json("show", gguf[0])["format"] == "gguf", "export as gguf")
    check(run_json("tokenize", gguf[0], "Hello world", "--no-special")["ids"] == ids, "the exported model tokenizes alike")
    stick = os.path.join(work, "stick")
    run("packs", "export", "tiny", "--to", stick)
    check(run_json("packs", "list", "--from", stick)["packs"][0]["name"] == "tiny", "packs export and list")
    os.environ["HEARTH_MEDIA_ROOTS"] = work
    check([p["name"] for p in run_json("packs", "list")["packs"]] == ["tiny"], "packs on media are found without a service")
    unsigned = run("packs", "check", "--from", stick, code=1)
    check(f"tiny ({stick})" in unsigned.stderr and "not signed" in unsigned.stderr, "packs check says which pack, where and why")
    run("packs", "install", "--from", stick, code=1)
    check("--key" in run("packs", "export", "tiny", "--to", os.path.join(work, "other")).stderr, "an unsigned export says so")
    check("installed_at       20" in run("show", "tiny").stdout, "show prints a date")
    new = os.path.join(work, "new")
    for wrong in (["--dtype", "q9"], ["--format", "zip"], ["--format", "peft"], ["--format", "gguf", "--dtype", "u8"]):
        run("export", "tiny", "--to", new, *wrong, code=1)
        check(not os.path.exists(new), "a refused export leaves nothing: " + " ".join(wrong))


def exports_have_names():
    folder = os.path.join(work, "named")
    run("export", "tiny", "--to", folder, "--format", "gguf", "--dtype", "f32")
    check(os.listdir(folder) == ["tiny.gguf"], "an exported file is named by its model")
    one = os.path.join(work, "deep", "x.gguf")
    run("export", "tiny", "--to", one)
    check(os.path.isfile(one), "--to FILE.gguf writes that file, as GGUF")
    check(run_json("show", one)["name"] == "tiny", "and the file says what the model is called")
    check("exists" in run("export", "tiny", "--to", one, code=1).stderr, "a file that exists is not written over")
    again = os.path.join(work, "again.gguf")
    run("export", one, "--to", again, "--dtype", "keep")
    check(run_json("show", again)["name"] == "tiny", "what a file calls itself is kept")
    run("export", model_folder, "--to", os.path.join(work, "y.gguf"))
    check(run_json("show", os.path.join(work, "y.gguf"))["name"] == os.path.basename(model_folder), "a folder's model goes by the folder's name")
    for to, format_, word in (("z.gguf", "safetensors", "one file"), ("z.gguf", "peft", "one file"), ("z.safetensors", "safetensors", "folder"), ("z.safetensors", "gguf", "folder")):
        to = os.path.join(work, to)
        check(word in run("export", "tiny", "--to", to, "--format", format_, code=1).stderr, f"--to {os.path.basename(to)} --format {format_} is refused")
        check(not os.path.exists(to), "and nothing is written")


def updates_without_a_service():
    key, box = os.path.join(work, "maker.pem"), os.path.join(work, "box")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", key + ".pub"], check=True, capture_output=True)
    layouts = {}
    for name, version in (("模型甲", "v1.9"), ("模型甲", "v2.0"), ("模型乙", "2025-06-01"), ("模型乙", "2025-01-01"), ("模型乙", "next")):
        maker, layouts[version] = os.path.join(work, "maker-" + version), os.path.join(work, "pack-" + version)
        made = run_json("import", model_folder, "--name", name, "--version", version, box=maker)
        check(made["display_name"] == name and made["name"].isascii(), "a name in another script has a safe one beside it: " + made["name"])
        run("packs", "export", made["name"], "--to", layouts[version], "--key", key, box=maker)
    run("packs", "install", layouts["v1.9"], code=1, box=box)
    check("packs trust" in run("packs", "keys", box=box).stdout or run_json("packs", "keys", box=box)["keys"], "packs keys")
    trusted = run_json("packs", "trust", key + ".pub", box=box)["id"]
    check(trusted in [k["id"] for k in run_json("packs", "keys", box=box)["keys"]], "packs trust")
    check("public key" in run("packs", "trust", key, code=1, box=box).stderr, "a private key is not trusted")
    first = run_json("packs", "install", layouts["v1.9"], box=box)
    run("packs", "install", layouts["2025-06-01"], box=box)
    check(sorted(m["display_name"] for m in run_json("models", box=box)["models"]) == ["模型乙", "模型甲"], "two names in another script are two models")
    check("模型甲" in run("models", box=box).stdout, "and are shown")
    check(run_json("packs", "install", layouts["v2.0"], box=box)["name"] == first["name"], "an update needs no service")
    for older in ("v1.9", "2025-01-01", "next"):
        check("--any-version" in run("packs", "install", layouts[older], code=1, box=box).stderr, "what is not known to be newer is refused: " + older)
    check(run_json("packs", "install", layouts["v1.9"], "--any-version", box=box)["version"] == "v1.9", "and installed when that is said")
    check(run_json("packs", "install", layouts["v2.0"], "--name", "second", box=box)["name"] == "second", "packs install --name")


def names_for_people():
    """A model is found by what people call it, in every verb that takes one."""
    box, called = os.path.join(work, "people"), "caf\u00e9 模型"
    name = run_json("import", model_folder, "--name", called, box=box)["name"]
    check(name != called, "a safe name beside it: " + name)
    for given in (called, "cafe\u0301 模型", name):
        check(run_json("show", given, box=box)["name"] == name, "show " + given)
        check(run_json("verify", given, box=box)["ok"], "verify")
        check(run_json("run", given, "Hello", "--max-tokens", "2", box=box)["n_completion_tokens"] >= 1, "run")
        check(run_json("tokenize", given, "Hello", box=box)["ids"], "tokenize")
        check(run_json("plan", given, box=box)["model"] == name, "plan")
        out = os.path.join(work, "people-" + str(len(os.listdir(work))))
        run("export", given, "--to", out, "--format", "gguf", "--dtype", "f32", box=box)
        check(os.listdir(out) == [name + ".gguf"], "export")
        check(run_json("packs", "export", given, "--to", out + "-pack", box=box)["digest"], "packs export")
    check("no model named" in run("run", called.upper(), "Hello", box=box, code=1).stderr, "case is as written")
    maker = os.path.join(work, "people-maker")
    for i, folder in enumerate((model_folder, out)):
        run("import", os.path.join(folder, name + ".gguf") if i else folder, "--name", called, box=maker + str(i))
    key = os.path.join(work, "people.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", key + ".pub"], check=True, capture_output=True)
    run("packs", "trust", key + ".pub", box=box)
    run("packs", "export", called, "--to", maker + "-a", "--key", key, box=maker + "0")
    run("packs", "export", called, "--to", maker + "-b", "--key", key, box=maker + "1")
    run("packs", "install", maker + "-a", "--name", "theirs", box=box)
    for verb in (["show"], ["rm"], ["verify"], ["run"], ["tokenize"]):
        refused = run(*verb, called, *(["Hello"] if verb[0] in ("run", "tokenize") else []), code=1, box=box).stderr
        check(name in refused and "theirs" in refused, verb[0] + " names the candidates instead of guessing")
    check(len(run_json("models", box=box)["models"]) == 2, "and removes none")
    run("rm", name, box=box)
    before = run_json("show", "theirs", box=box)["digest"]
    refused = run("packs", "install", maker + "-b", box=box, code=1).stderr
    check("has no version, nor has" in refused and "--any-version" in refused, "of two packs without versions the second is refused")
    check(run_json("packs", "install", maker + "-a", box=box)["digest"] == before == run_json("show", called, box=box)["digest"], "the same again changes nothing")
    check(run_json("packs", "install", maker + "-b", "--any-version", box=box)["digest"] != before, "unless that is said")
    run("rm", "cafe\u0301 模型", box=box)
    check(run_json("models", box=box)["models"] == [], "rm")


def paths_that_are_also_names():
    """Where a path and a model's name for people are spelt alike, the path is meant, and nothing is told of the model."""
    box, here = os.path.join(work, "spelt-alike"), os.path.join(work, "here")
    os.makedirs(here)
    shutil.copytree(model_folder, os.path.join(work, "folders", "m.gguf"))
    called = run_json("import", os.path.join(work, "folders", "m.gguf"), box=box)
    check(called["display_name"] == "m.gguf" != called["name"], "a model whose name for people is spelt like a file")
    check("digest" in run_json("show", "m.gguf", box=box, cwd=here), "where there is no such path the model is meant")
    run("export", model_folder, "--to", os.path.join(here, "m.gguf"), "--dtype", "f32")
    shown = run_json("show", "m.gguf", box=box, cwd=here)
    check("digest" not in shown and shown["format"] == "gguf", "where there is one, show tells of it")
    size = os.path.getsize(os.path.join(here, "m.gguf"))
    check(run_json("plan", "m.gguf", box=box, cwd=here)["weights_bytes"] <= size, "plan counts its bytes")
    run("export", "m.gguf", "--to", "out", "--format", "gguf", "--dtype", "f32", box=box, cwd=here)
    check(os.listdir(os.path.join(here, "out")) == ["m.gguf"], "export names its file after it")


def garbage():
    left = os.path.join(state, "blobs", "sha256", "b" * 64)
    with open(left, "w") as f:
        f.write("nobody's")
    check(run_json("gc", "--dry-run")["reclaimable_bytes"] == 8 and os.path.exists(left), "gc --dry-run says what could go")
    freed = run_json("gc")
    check(freed["freed_bytes"] == 8 and freed["models_bytes"] > 0 and not os.path.exists(left), "gc frees what no model uses")
    check("freed 0 B" in run("gc").stdout and run_json("verify", "tiny")["ok"], "and nothing else")


def encodings():
    """What a pipe brings is text in UTF-8, or becomes it, or is named."""
    words = "grüße und 世界"
    plain = run_json("tokenize", "tiny", words)["ids"]

    def pipe(data, *arguments, code=0):
        done = subprocess.run([hearth, "--state-dir", state, *arguments, "--json"], input=data, capture_output=True, timeout=120)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        check(pipe(words.encode(encoding), "tokenize", "tiny")["ids"] == plain, "tokenize reads " + encoding)
    answer = pipe(b"Hello", "run", "tiny", "--max-tokens", "3")
    check(pipe("Hello".encode("utf-16"), "run", "tiny", "--max-tokens", "3") ["n_prompt_tokens"] == answer["n_prompt_tokens"], "run reads UTF-16")
    for verb in (["run", "tiny"], ["tokenize", "tiny"]):
        failed = json.dumps(pipe("Die Gr\u00f6\u00dfe ist \u00fcblich f\u00fcr \u00c4pfel.".encode("latin-1"), *verb, code=1))
        check("stdin looks like ISO-8859-1" in failed and "iconv" in failed, verb[0] + " names another encoding")
        check("gzip" in json.dumps(pipe(b"\x1f\x8b\x08\x00abc", *verb, code=1)), verb[0] + " names what is no text")
    latin = os.path.join(work, "latin.txt")
    with open(latin, "wb") as f:
        f.write("se\u00f1or, \u00bfqu\u00e9 tal est\u00e1 usted hoy por la ma\u00f1ana?".encode("latin-1"))
    check("latin.txt looks like" in run("perplexity", "tiny", latin, "--ctx", "64", code=1).stderr, "perplexity names another encoding")


def trust_of_the_service():
    """A pack that only the service trusts: by a key that was given to it, not to the state directory."""
    keys, stick = os.path.join(work, "keys"), os.path.join(work, "signed")
    os.mkdir(keys)
    key = os.path.join(work, "key.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", os.path.join(keys, "maker.pub")], check=True, capture_output=True)
    for name in ("one", "two"):
        check(run_json("packs", "export", "second", "--to", os.path.join(stick, name), "--key", key)["signed"], "a signed export")
    return keys, stick


def packs_by_the_service(stick):
    packs = run_json("packs", "list", "--from", stick)["packs"]
    check(packs and all(p["status"] == "trusted" for p in packs), "packs list asks the service what is trusted")
    check("trusted" in run("packs", "check", "--from", stick).stdout, "packs check, too")
    digest = packs[0]["digest"]
    check(digest[:19] in run("packs", "list", "--from", stick).stdout, "packs list prints digests")
    check("no pack with the digest" in run("packs", "install", "--from", stick, "--digest", "0000", code=1).stderr, "an unknown digest")


def wrong_usage():
    for arguments in ([], ["frobnicate"], ["models", "--no-such-option"], ["show"]):
        run(*arguments, code=2)
    check("unknown verb model; did you mean models?" in run("model", code=2).stderr, "a slip gets a suggestion")
    check("did you mean" not in run("frobnicate", code=2).stderr, "another word gets none")
    for address in ("nowhere", "127.0.0.1:http", "box.example:80", "127.0.0.1:70000"):
        check("not an address to listen on" in run("serve", "--listen", address, code=2).stderr, "serve refuses " + address)
    check("--lines must be" in run("logs", "-n", "-5", code=1).stderr, "logs refuses a negative number")
    check("--set" in run("plan", "tiny", "--set", "a=1", code=1).stderr, "plan refuses --set for a model")
    broken = os.path.join(work, "broken.json")
    with open(broken, "w") as f:
        f.write('{\n "messages": oops}\n')
    failed = run("template", "tiny", broken, code=1).stderr
    check("line 2" in failed and "exception" not in failed, "a broken JSON file is told by its line")
    with open(broken, "w") as f:
        f.write("[]")
    check("broken.json: expected an object" in run("template", "tiny", broken, code=1).stderr, "a list is no conversation")
    template = os.path.join(work, "open.jinja")
    with open(template, "w") as f:
        f.write("{{ x")
    check("open.jinja: line 1" in run("template", template, os.path.join(work, "case.json"), code=1).stderr, "a broken template is named")
    check("not both" in run("tokenize", "tiny", "x", "--file", broken, code=1).stderr, "tokenize refuses two texts")
    for arguments in (["ps"], ["deploy", "tiny"], ["jobs"], ["show", "nope"], ["run", "/nonexistent", "x"], ["logits", "tiny", "--ids", "1,x"]):
        failed = run(*arguments, code=1)
        check(failed.stderr.startswith("hearth: ") and not failed.stdout, "fails with a message: " + " ".join(arguments))
    for arguments in (["pull", "a/b"], ["prepare", "tiny"], ["plan", "tiny", "--hardware", "x.json"]):
        check("later work" in run(*arguments, code=1).stderr, "says that it is later work: " + arguments[0])


def with_service():
    run("import", model_folder, "--name", "second")
    keys, stick = trust_of_the_service()
    run("rm", "second")
    service = subprocess.Popen([hearth, "--state-dir", state, "serve", "--listen", "127.0.0.1:0", "--trust", keys], stderr=subprocess.PIPE, text=True)
    try:
        while "listening on" not in (line := service.stderr.readline()):
            assert line, "the service ended"
        check(run_json("deploy", "tiny")["state"] == "ready", "deploy waits until ready")
        check(run_json("ps")["deployments"][0]["model"] == "tiny", "ps")
        answer = run_json("chat", "tiny", "Hello there", "--max-tokens", "6", "--seed", "1")
        check(answer["finish_reason"] in ("stop", "length") and answer["usage"]["total_tokens"] > 0, "chat with a prompt")
        check(run("chat", "tiny", "--max-tokens", "4", text="from stdin").returncode == 0, "chat with stdin")
        check("undeploy it first" in run("rm", "tiny", code=1).stderr, "rm of a deployed model is refused by the service")
        check(run_json("import", model_folder, "--name", "second")["name"] == "second", "import through the service")
        check(run_json("job", "1")["state"] == "done" and run_json("jobs")["jobs"][0]["kind"] == "import", "jobs")
        check("engine-tiny" in run_json("logs"), "logs")
        check(run("chat", "tiny", text="", code=1).stderr.startswith("hearth: there is no prompt"), "chat without a prompt")
        packs_by_the_service(stick)
        garbage()
        run("undeploy", "tiny")
        run("rm", "tiny")
        called = "模型 café"
        name = run_json("import", model_folder, "--name", called)["name"]
        check(run_json("deploy", called)["model"] == name, "deploy by what people call it")
        check(run_json("chat", called, "Hello", "--max-tokens", "2")["finish_reason"] in ("stop", "length"), "chat, too")
        check(run("logs", "engine-" + called).stdout, "logs, too")
        check("undeploy it first" in run("rm", called, code=1).stderr, "rm of a deployed one is refused")
        run("undeploy", called)
        run("rm", called)
        check([m["name"] for m in run_json("models")["models"]] == ["second"], "rm through the service")
    finally:
        service.send_signal(signal.SIGTERM)
        check(service.wait(30) == 0, "serve ends in order")


try:
    without_service()
    exports_have_names()
    paths_that_are_also_names()
    updates_without_a_service()
    names_for_people()
    garbage()
    wrong_usage()
    with_service()
finally:
    shutil.rmtree(work, ignore_errors=True)
