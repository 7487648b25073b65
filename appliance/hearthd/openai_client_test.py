"""The real openai client, and curl, against hearthd with a real engine. Usage: openai_client_test.py HEARTHD ENGINE MODEL_FOLDER.

Exit 77 (skipped) where this Python has no openai package; run it by HEARTH_PYTHON to use one that has.
"""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

if os.environ.get("HEARTH_PYTHON") and not os.environ.get("HEARTH_PYTHON_TRIED"):
    os.environ["HEARTH_PYTHON_TRIED"] = "1"
    os.execv(os.environ["HEARTH_PYTHON"], [os.environ["HEARTH_PYTHON"]] + sys.argv)

try:
    import openai
except ImportError:
    print("skipped: this Python has no openai package; set HEARTH_PYTHON to one that has")
    sys.exit(77)

hearthd, engine, model_folder = sys.argv[1:4]
state = tempfile.mkdtemp(prefix="hearth-openai-")


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(state, "run", "hearthd.sock"))


def call(method, path, body=None):
    connection = UnixConnection("localhost")
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    return json.loads(answer.read())


def wait_for(condition, what):
    end = time.time() + 60
    while time.time() < end:
        try:
            value = condition()
        except (OSError, ValueError):
            value = None
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"timed out waiting for {what}")


def check(condition, what):
    print(("ok    " if condition else "FAIL  ") + what)
    if not condition:
        raise AssertionError(what)


def deployed():
    all_of_them = call("GET", "/hearth/v1/deployments")["deployments"]
    return all_of_them and all_of_them[0]["state"] == "ready"


def test_client(client, base_url):
    check([m.id for m in client.models.list()] == ["tiny"], "models.list")
    chat = dict(model="tiny", messages=[{"role": "user", "content": "Hello there"}], max_tokens=12, seed=7, temperature=1.0)
    whole = client.chat.completions.create(**chat)
    check(whole.choices[0].finish_reason in ("stop", "length") and whole.usage.completion_tokens <= 12, "chat.completions")
    again = client.chat.completions.create(**chat)
    check(again.choices[0].message.content == whole.choices[0].message.content, "same seed, same answer")
    text, usage, finish = "", None, None
    for chunk in client.chat.completions.create(**chat, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    check(text == whole.choices[0].message.content and finish == whole.choices[0].finish_reason, "streamed answer is the same")
    check(usage is not None and usage.total_tokens == whole.usage.total_tokens, "usage in the stream")
    plain = client.completions.create(model="tiny", prompt="Once upon", max_tokens=5)
    check(plain.usage.completion_tokens <= 5, "completions")
    try:
        client.chat.completions.create(model="gpt-4o", messages=chat["messages"])
        check(False, "unknown model is refused")
    except openai.NotFoundError as e:
        check(e.code == "model_not_found" and "tiny" in str(e), "unknown model is refused with the names that exist")
    try:
        client.chat.completions.create(model="tiny", messages=chat["messages"], max_tokens=-1)
        check(False, "bad max_tokens is refused")
    except openai.BadRequestError as e:
        check("max_tokens" in str(e), "bad max_tokens is refused by name")
    curl = shutil.which("curl")
    if curl:
        out = subprocess.run([curl, "-sN", base_url + "/chat/completions", "-d", json.dumps({**chat, "stream": True})], capture_output=True, text=True, check=True)
        check(out.stdout.rstrip().endswith("data: [DONE]"), "curl sees the end of the stream")


service = subprocess.Popen([hearthd, "--state-dir", state, "--listen", "127.0.0.1:0", "--engine", engine])
try:
    wait_for(lambda: call("GET", "/health")["status"] == "ok", "the service")
    call("POST", "/hearth/v1/models/import", {"path": model_folder, "name": "tiny"})
    wait_for(lambda: call("GET", "/hearth/v1/models")["models"], "the import")
    call("POST", "/hearth/v1/deployments", {"model": "tiny"})
    wait_for(deployed, "the engine")
    base_url = "http://" + call("GET", "/hearth/v1/box")["listen"] + "/v1"
    test_client(openai.OpenAI(base_url=base_url, api_key="none", max_retries=0), base_url)
finally:
    service.terminate()
    service.wait(30)
    shutil.rmtree(state, ignore_errors=True)
