"""Fine-tuning by the service's API, as the desktop does it: 200 lines of a new domain, the balanced preset, deploy, chat.

usage: fine_tune_test.py HEARTHD ENGINE TRAINER PACK_FOLDER TRUST_FOLDER [--seconds 300]

The bundled model is installed and deployed by hearthd itself. The text is real: paragraphs of the licences in
/usr/share/common-licenses, which the model has never seen. Exit 77 (skipped) where those or the pack are absent.
"""
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

hearthd, engine, trainer, pack, trust = sys.argv[1:6]
time_limit = float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else 900
licences = pathlib.Path("/usr/share/common-licenses")
if not licences.is_dir() or not pathlib.Path(pack, "index.json").exists():
    print("skipped: needs /usr/share/common-licenses and the bundled pack")
    sys.exit(77)
state = tempfile.mkdtemp(prefix="hearth-finetune-")


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(state, "run", "hearthd.sock"))


def call(method, path, body=None):
    connection = UnixConnection("localhost", timeout=120)
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    connection.request(method, path, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        raise AssertionError(f"{method} {path}: {answer.status} {text.decode()[:500]}")
    return json.loads(text) if text else {}


def wait_for(condition, what, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            value = condition()
        except (OSError, ValueError):
            value = None
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"timed out waiting for {what}")


def ready(name):
    return any(d["model"] == name and d["state"] == "ready" for d in call("GET", "/hearth/v1/deployments")["deployments"])


def new_domain(n_lines):
    """One JSON line a paragraph: {"text": ...}."""
    lines = []
    for file in sorted(licences.iterdir()):
        if file.is_symlink() or not file.is_file():
            continue
        for paragraph in file.read_text(errors="replace").split("\n\n"):
            text = " ".join(paragraph.split())
            if 200 <= len(text) <= 600 and text.isascii():
                lines.append(json.dumps({"text": text}))
    step = max(1, len(lines) // n_lines)
    return ("\n".join(lines[::step][:n_lines]) + "\n").encode()


def run():
    wait_for(lambda: ready("hearth-mini"), "the bundled model")
    data = new_domain(200)
    assert data.count(b"\n") == 200, data.count(b"\n")
    dataset = call("POST", "/hearth/v1/datasets?name=licences.jsonl", data)
    assert dataset["valid"] and dataset["n_examples"] == 200, dataset
    request = {"model": "hearth-mini", "dataset": dataset["id"], "preset": "balanced", "name": "licence-mini"}
    estimate = call("POST", "/hearth/v1/jobs/estimate", request)
    print(f"predicted: {estimate['seconds']:.0f} s, {estimate['peak_memory_bytes'] / 2**20:.0f} MiB; {estimate['explanation']}")
    begin = time.time()
    job = call("POST", "/hearth/v1/jobs", request)

    def finished():
        current = call("GET", f"/hearth/v1/jobs/{job['id']}")
        return current if current["state"] in ("done", "failed", "cancelled") else None

    job = wait_for(finished, "the training job", time_limit)
    seconds = time.time() - begin
    assert job["state"] == "done", job
    before, after = job["eval_loss_before"], job["eval_loss_after"]
    print(f"held-out loss {before:.3f} -> {after:.3f} ({1 - after / before:.0%} lower) in {seconds:.0f} s")
    assert after <= 0.8 * before, "the held-out loss must fall by at least 20 %"
    assert call("GET", f"/hearth/v1/jobs/{job['id']}/metrics")["points"], "metrics are kept"
    call("POST", "/hearth/v1/deployments", {"model": job["result_model"]})
    wait_for(lambda: ready(job["result_model"]), "the result's engine")
    answer = call("POST", "/v1/chat/completions", {"model": job["result_model"], "max_tokens": 40, "temperature": 0,
                                                   "messages": [{"role": "user", "content": "How do I install a model pack?"}]})
    text = answer["choices"][0]["message"]["content"]
    print("answer:", text)
    assert text.strip(), "the result answers in chat"


service = subprocess.Popen([hearthd, "--state-dir", state, "--listen", "127.0.0.1:0", "--bundled-packs", pack, "--trust", trust,
                            "--engine", engine, "--trainer", trainer], stderr=open(os.path.join(state, "service.out"), "wb"))
try:
    run()
except BaseException:
    sys.stdout.flush()
    sys.stderr.write(pathlib.Path(state, "service.out").read_text(errors="replace")[-3000:])
    raise
finally:
    service.terminate()
    service.wait(20)
    shutil.rmtree(state, ignore_errors=True)
print("fine-tuning by the API: passed")
