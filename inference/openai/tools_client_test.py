"""The real openai client with tools, against the OpenAI surface with a told answer. Usage: tools_client_test.py SERVER MODEL_FOLDER.

Exit 77 (skipped) where this Python has no openai package; run it by HEARTH_PYTHON to use one that has.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

if os.environ.get("HEARTH_PYTHON") and not os.environ.get("HEARTH_PYTHON_TRIED"):
    os.environ["HEARTH_PYTHON_TRIED"] = "1"
    os.execv(os.environ["HEARTH_PYTHON"], [os.environ["HEARTH_PYTHON"]] + sys.argv)

try:
    import openai
except ImportError:
    print("skipped: this Python has no openai package; set HEARTH_PYTHON to one that has")
    sys.exit(77)

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
ASK = dict(model="tiny", messages=[{"role": "user", "content": "Weather in Oslo?"}], tools=TOOLS)

# What tells the format, and an answer in it.
FORMATS = {
    "objects": ("<tool_call>", '<think>Look.</think>\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'),
    "tags": ("<function=<parameter=", "<think>Look.</think>\n<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n</function>\n</tool_call>"),
    "channels": ("<|channel|><|message|>", '<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Oslo"}<|call|>'),
}


def check(condition, what):
    print(("ok    " if condition else "FAIL  ") + what)
    if not condition:
        raise AssertionError(what)


def test_format(client, name):
    whole = client.chat.completions.create(**ASK).choices[0]
    calls = whole.message.tool_calls
    check(whole.finish_reason == "tool_calls" and len(calls) == 1, f"{name}: one call")
    check(calls[0].function.name == "get_weather" and json.loads(calls[0].function.arguments) == {"city": "Oslo"}, f"{name}: its arguments")
    check(whole.message.content is None and whole.message.reasoning_content == "Look.", f"{name}: reasoning, no content")

    with client.chat.completions.stream(**ASK) as stream:  # the client's own gathering of pieces
        for _ in stream:
            pass
        final = stream.get_final_completion().choices[0]
    check(final.finish_reason == "tool_calls", f"{name}: the stream's end")
    check(json.loads(final.message.tool_calls[0].function.arguments) == {"city": "Oslo"}, f"{name}: streamed arguments")

    again = ASK["messages"] + [whole.message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": calls[0].id, "content": "-3"}]
    check(client.chat.completions.create(**{**ASK, "messages": again}).usage.prompt_tokens > 0, f"{name}: the tool's answer goes back")
    none = client.chat.completions.create(**ASK, tool_choice="none").choices[0]
    check(not none.message.tool_calls and none.finish_reason == "stop", f"{name}: tool_choice none")
    try:
        client.chat.completions.create(**ASK, tool_choice="required")
        check(False, f"{name}: tool_choice required is refused")
    except openai.APIStatusError as e:
        check("tool_choice" in str(e), f"{name}: tool_choice required is refused by name")


server_program, model_folder = sys.argv[1:3]
with tempfile.TemporaryDirectory() as folder:
    for name, (evidence, answer) in FORMATS.items():
        template, text = pathlib.Path(folder, "chat.jinja"), pathlib.Path(folder, "answer.txt")
        template.write_text("{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
                            "{% if false %}" + evidence + "{% raw %}<think>{% endraw %}{% endif %}")
        text.write_text(answer)
        server = subprocess.Popen([server_program, model_folder, str(template), str(text)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            address = server.stdout.readline().strip()
            test_format(openai.OpenAI(base_url=f"http://{address}/v1", api_key="none", max_retries=0), name)
        finally:
            server.stdin.close()
            server.wait(30)
