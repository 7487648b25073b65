"""Makes jinja_chat_cases.json: templates like those of chat models, put together by chance, and what Jinja2 renders.

    python3 jinja_chat_cases.py 1200 jinja_chat_cases.json      # the fixture
    python3 jinja_chat_cases.py 20000 more.json [SEED]          # more of them, for jinja_cases_test with HEARTH_JINJA_CASES=more.json

Expressions have the types that they need, so that most templates render, and no more parentheses than chance puts there, so that the order
of operators counts. Needs jinja2 3.1.6 or later. Not part of the build: the fixture is committed.
"""
import json
import random
import sys

import jinja_cases

CONTEXT = {
    "messages": [
        {"role": "system", "content": "Be <brief> & kind.\n"},
        {"role": "user", "content": " What is 2 + 2?\n\nSay it. "},
        {"role": "assistant", "content": "<think>\nadd\n</think>\n\n4", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": [1, None, True], "s": "x\"y'é"}}}]},
        {"role": "tool", "content": "4", "name": "add", "tool_call_id": "c1"},
        {"role": "user", "content": [{"type": "text", "text": "Thanks"}, {"type": "image"}]},
        {"role": "assistant", "content": None, "reasoning_content": "done"},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "description": "Adds \"two\" numbers", "parameters": {
        "type": "object", "properties": {"a": {"type": "number"}, "b": {"type": ["array", "null"]}}, "required": ["a"]}}}],
    "documents": [], "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "enable_thinking": False, "n": 3, "r": 0.5,
    "date": "26 Jul 2024", "nothing": None, "nested": {"a": {"b": [1, 2, {"c": "deep"}]}, "items": "odd", "k 1": 1},
}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.loops = 0      # for-loops around
        self.names = 0
        self.macros = []

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, p):
        return self.random.random() < p

    def maybe_parens(self, text):
        return f"({text})" if self.chance(0.2) else text

    # Expressions, by type.

    def message(self):
        return self.pick("m", "messages[0]", "messages[-1]", "messages[1]", "(messages|first)", "(messages|last)") if self.loops else \
            self.pick("messages[0]", "messages[-1]", "messages[2]", "(messages|first)", "(messages|last)")

    def number(self, depth=2):
        simple = ["n", "0", "1", "2", "-1", "10", "messages|length", "n|int", "nested.a.b[0]", "1.5", "r", "'12'|int", "'x'|int(7)", "messages | count"]
        if self.loops:
            simple += ["loop.index", "loop.index0", "loop.length", "loop.revindex", "loop.index0 % 2", "loop.depth"]
        if depth == 0 or self.chance(0.4):
            return self.pick(*simple)
        a, b = self.number(depth - 1), self.number(depth - 1)
        return self.maybe_parens(self.pick(
            f"{a} + {b}", f"{a} - {b}", f"{a} * {b}", f"{a} // {self.pick('2', '3', '-2')}", f"{a} % {self.pick('2', '3', '-3')}", f"{a} / {self.pick('2', '4')}",
            f"-{a}", f"- {a} ** 2", f"2 ** {self.pick('2', '3', '-1')} ** 2", f"{a} - {b} - 1", f"{a} * -{b}", f"{a}|abs", f"-{a}|abs", f"{a} + {b}|float",
            f"{a} if {self.condition(depth - 1)} else {b}", f"[{a}, {b}]|max", f"[{a}, {b}]|sum", f"{a}|round", f"({a})|round(1, 'floor')"))

    def text(self, depth=2):
        simple = [f"{self.message()}.role", f"{self.message()}['role']", "bos_token", "eos_token", "'<|im_start|>'", "\"it's\"", "'a\\nb'", "date", "''", "'%s'", "'\\u00e9\\x41'",
                  f"{self.message()}.content|string", "'a' 'b'", "nested.a.b[2].c", "nested['k 1']|string", "tools[0].function.name", "messages[1].content", "messages[2]['content']"]
        if depth == 0 or self.chance(0.3):
            return self.pick(*simple)
        s, t = self.text(depth - 1), self.text(depth - 1)
        return self.maybe_parens(self.pick(
            f"{s} + {t}", f"{s} ~ {t}", f"{s} ~ {self.number(depth - 1)} ~ {t}", f"{s}|trim", f"{s}|upper", f"({s}).strip()", f"({s}).strip('<>')", f"({s})|replace('a', {t})",
            f"({s}).split('</think>')[-1]", f"({s}).split('\\n')|join({t})", f"({s})[:{self.pick('1', '2', '-1', '5')}]", f"({s})[{self.pick('1', '-2', '0')}:]", f"({s})[::-1]",
            f"{self.data(depth - 1)}|tojson", f"{self.data(depth - 1)}|tojson(indent={self.pick('2', '4', 'none')})", f"{self.data(depth - 1)}|string",
            f"{s} if {self.condition(depth - 1)} else {t}", f"{s} if {self.condition(depth - 1)}", f"({s}).startswith({t})|string", f"'%s: %s'|format({s}, {self.number(0)})",
            f"'%s-%03d' % ({s}, n)", f"({s}) * 2", f"{s}|capitalize", f"({s}).title()", f"({s}).lstrip('\\n').rstrip()", f"{self.pick('nope', 'nothing', 'm.nope' if self.loops else 'messages[0].nope')}|default({t})",
            f"{self.pick('nope', 'nothing', 'documents', s)}|default({t}, true)", f"{s}|e", f"{s}|safe", f"({s})|length|string", f"[{s}, {t}]|join('\\n')", f"{s}|indent({self.pick('2', '4, true')})",
            f"'{{}} {{}}'.format({s}, {t})", f"({s}).replace({t}, '_', 1)", f"{s}|first|default('-')", f"({s}).rsplit(' ', 1)[0]", f"({s}).partition(':')[0]", f"raise_exception({s}) if false else {t}",
            f"({s})|list|join('.')", f"({s})|string|trim|lower", f"({s}).splitlines()[0]" if s != "''" else "'-'", f"{s}~{t}|upper", f"strftime_now('%d %b %Y')"))

    def condition(self, depth=2):
        value = self.pick("nope", "nothing", "tools", "documents", "enable_thinking", "n", f"{self.message()}.tool_calls", f"{self.message()}.content", f"{self.message()}.name", "bos_token", "nested.a.z")
        simple = ["true", "false", "add_generation_prompt", "enable_thinking", "tools", "not tools", "documents", "not documents", f"{value} is defined", f"{value} is not defined", f"{value} is none", f"{value} is not none",
                  f"{self.message()}.role == 'user'", f"{self.message()}['role'] != \"system\"", f"'tool_calls' in {self.message()}", f"'z' not in {self.message()}.role", f"{value} is string", f"{value} is mapping",
                  f"{value} is iterable", f"{value} is sequence", f"{value} is number", f"{value} is boolean", f"{value} is undefined", f"{self.message()}.role in ['user', 'tool']", f"not {value}", f"{value}",
                  f"{value} is iterable and {value} is not string", f"{value} is sameas none", f"{value} is true", f"{value} is false", f"{value} is eq 3", f"n is odd", "n is divisibleby 3", "n is divisibleby(2)", "n is gt 2", "n is in [1, 3]"]
        if self.loops:
            simple += ["loop.first", "loop.last", "not loop.first", "loop.index0 == 0", "loop.nextitem is defined", "loop.previtem is defined and loop.previtem.role == m.role", "loop.index0 % 2 == 0", "(m.role == 'user') != (loop.index0 % 2 == 0)", "loop.changed(m.role)"]
        if depth == 0 or self.chance(0.35):
            return self.pick(*simple)
        a, b = self.condition(depth - 1), self.condition(depth - 1)
        return self.maybe_parens(self.pick(
            f"{a} and {b}", f"{a} or {b}", f"not {a}", f"not ({a} or {b})", f"{a} and not {b}", f"{a} or {b} and {a}", f"{a} == {b}", f"{a} if {b} else {a}", f"{a} is {self.pick('true', 'false', 'defined', 'not none', 'none')} if {b} else {a}",
            f"{self.number(1)} {self.pick('<', '<=', '>', '>=', '==', '!=')} {self.number(1)}", f"0 < {self.number(0)} <= 3", f"1 < {self.number(0)} > 0 != false", f"{self.text(depth - 1)} == {self.text(depth - 1)}",
            f"{self.text(0)} in {self.text(depth - 1)}", f"{self.number(0)} in [1, 2, 3]", f"{self.text(0)} not in {self.text(depth - 1)}", f"({self.list(depth - 1)})|length > {self.number(0)}", f"{self.text(0)} is string and {a}",
            f"not {value} is defined", f"not {value} is none and {a}", f"{value} is not none and {value}|length > 0" if "nope" not in value else a, f"{self.text(0)} is not in 'abc'", f"{a} is not false"))

    def list(self, depth=2):
        simple = ["messages", "tools", "documents", "messages[1:]", "messages[:-1]", "messages[::-1]", "[1, 'a', none]", "range(n)", "nested.a.b", "nested", "nested.items()", "nested|items", "nested|dictsort", "messages[2].tool_calls", "messages[4].content",
                  "messages[2].tool_calls[0].function.arguments.items()", "messages[2].tool_calls[0].function.arguments|dictsort", "('a', 'b')", "'ab'", "nope", "(1,)", "[]", "messages[0].keys()", "tools[0]['function'].values()", "range(0, 6, 2)"]
        if depth == 0 or self.chance(0.4):
            return self.pick(*simple)
        return self.maybe_parens(self.pick(
            "messages|selectattr('role', 'equalto', 'user')|list", "messages|rejectattr('role', 'in', ['tool', 'system'])|list", "messages | selectattr('tool_calls', 'defined') | list", "messages|selectattr('content', 'string')|map(attribute='content')|list",
            "messages|map(attribute='role')|unique|list", "messages|map(attribute='name', default='-')|list", "messages|groupby('role')", "messages|reverse|list", f"({self.list(depth - 1)})[{self.pick('1:', ':2', '::2', '-2:')}]|list" if False else "messages[-2:]",
            f"[{self.text(0)}, {self.number(0)}] + [{self.text(depth - 1)}]", f"({self.text(depth - 1)}).split(' ')", f"({self.text(depth - 1)}).split('\\n', 1)", "messages|batch(2)|list", "messages|map('length')|list", "['b', 'A', 'c']|sort", "['b', 'A']|sort(reverse=true, case_sensitive=true)",
            "messages|sort(attribute='role')|map(attribute='role')", f"{self.list(0)} if {self.condition(depth - 1)} else []", "messages[0:n]", "messages|slice(2)|list", "[3, 1, 2]|select('gt', 1)", "[[1, 2], [3]]|sum(start=[])", "messages[1:][::2]"))

    def data(self, depth=1):
        return self.pick("tools", "messages[2].tool_calls", "messages[2].tool_calls[0].function.arguments", "nested", f"{{'name': {self.text(0)}, 'n': {self.number(0)}}}", f"[{self.text(0)}, {self.number(0)}, none, true]", "{}", "[]", "none", "true", "dict(a=1, b='x')", self.text(0), self.number(0),
                         f"{{'a': {self.condition(0)}, 1: [1.0, 1e3, -0.5]}}", "(1, 'x')", "[{}, []]")

    def expression(self):
        return self.pick(self.text, self.text, self.text, self.number, self.condition, self.list, self.data)()

    # Statements.

    def open(self):
        return self.pick("{%", "{%", "{%-", "{%-", "{%+")

    def close(self):
        return self.pick("%}", "%}", "-%}", "-%}")

    def tag(self, inside):
        return self.open() + " " + inside + " " + self.close()

    def show(self, inside):
        return self.pick("{{ ", "{{ ", "{{- ", "{{") + inside + self.pick(" }}", " }}", " -}}", "}}")

    def space(self):
        return self.pick("", "", "\n", "\n", "\n  ", "  ", "\n\n", " text ", "<|im_start|>", "\t", "{# a comment #}", "{#- c -#}\n", "\n    ", "'\"")

    def fresh(self):
        self.names += 1
        return f"v{self.names}"

    def body(self, depth):
        return self.space() + "".join(self.statement(depth) + self.space() for _ in range(self.random.randrange(1, 4)))

    def loop(self, depth):
        what = self.pick("messages", "messages", "messages[1:]", "messages|selectattr('role', 'ne', 'system')", "loop_messages|default(messages)")
        only = self.pick("", "", "", " if m.role != 'system'", f" if {self.condition(0)}" if not self.loops else "")
        only = only if "loop." not in only else ""
        self.loops += 1
        inner = self.body(depth - 1)
        if self.chance(0.15):
            inner += self.tag(f"if {self.condition(1)}") + self.tag(self.pick("continue", "break")) + self.tag("endif") + self.show("m.role")
        self.loops -= 1
        other = self.tag("else") + self.body(0) if self.chance(0.15) else ""
        return self.tag(f"for m in {what}{only}") + inner + other + self.tag("endfor")

    def pairs(self, depth):
        what = self.pick("nested.items()", "nested|dictsort", "messages[2].tool_calls[0].function.arguments|items", "tools[0].function.parameters.properties.items()")
        k, v = self.fresh(), self.fresh()
        return self.tag(f"for {k}, {v} in {what}") + self.show(k) + self.pick("=", ": ", "") + self.show(f"{v}|tojson") + self.pick("", self.tag("if not loop.last") + ", " + self.tag("endif")) + self.tag("endfor")

    def condition_tree(self, depth):
        out = self.tag(f"if {self.condition()}") + self.body(depth - 1)
        for _ in range(self.random.randrange(0, 3)):
            out += self.tag(f"elif {self.condition()}") + self.body(depth - 1)
        if self.chance(0.6):
            out += self.tag("else") + self.body(depth - 1)
        return out + self.tag("endif")

    def setting(self, depth):
        name = self.fresh()
        kind = self.random.randrange(5)
        if kind == 0:
            return self.tag(f"set {name} = {self.expression()}") + self.show(name)
        if kind == 1:
            return self.tag(f"set {name}") + self.body(depth - 1) + self.tag("endset") + self.show(f"{name}|trim")
        if kind == 2:
            space = f"ns{name}"
            return (self.tag(f"set {space} = namespace(a={self.expression()}, b=0)") + self.tag(f"for x in range(3)") + self.tag(f"set {space}.b = {space}.b + x") + self.tag("endfor") + self.show(f"{space}.b") + self.show(f"{space}.a"))
        if kind == 3:
            return self.tag(f"set {name}, {name}b = {self.text()}, {self.number()}") + self.show(f"{name} ~ {name}b")
        return self.tag(f"if {self.condition()}") + self.tag(f"set {name} = {self.text()}") + self.tag("endif") + self.show(f"{name}|default('unset')")

    def macro(self, depth):
        name = "f" + self.fresh()
        was, self.loops = self.loops, 0
        inner = self.body(depth - 1)
        self.loops = was
        out = self.tag(f"macro {name}(a, b={self.text(0)})") + inner + self.show("a") + self.show("b") + self.tag("endmacro")
        return out + self.show(f"{name}({self.text(1)}{self.pick('', ', ' + self.text(1), ', b=' + self.text(1))}){self.pick('', '|trim', ' ~ 1')}")

    def statement(self, depth):
        if depth <= 0 or self.chance(0.35):
            return self.show(self.expression()) if self.chance(0.85) else self.space()
        kind = self.random.randrange(12)
        if kind <= 2:
            return self.loop(depth) if self.loops < 2 else self.show(self.expression())
        if kind <= 5:
            return self.condition_tree(depth)
        if kind <= 7:
            return self.setting(depth)
        if kind == 8:
            return self.pairs(depth)
        if kind == 9:
            return self.macro(depth)
        return self.pick(self.tag("raw") + "{{ x }} {% y %}" + self.tag("endraw"), self.tag("generation") + self.body(depth - 1) + self.tag("endgeneration"),
                         self.tag("filter " + self.pick("upper", "trim", "indent(2)", "replace('a', 'b')")) + self.body(depth - 1) + self.tag("endfilter"),
                         self.tag(f"with x = {self.text(1)}, y = {self.number(1)}") + self.show("x") + self.body(depth - 1) + self.show("y") + self.tag("endwith"))

    def template(self, size):
        if size == 0:
            return "{{ " + self.expression() + " }}"
        if size == 1:
            self.loops = 1
            return "{% for m in messages %}{{ " + self.expression() + " }}|{% endfor %}"
        return self.body(size - 1)


def main():
    n, out = int(sys.argv[1]), sys.argv[2]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    env = jinja_cases.environment()
    cases, n_errors = [], 0
    for i in range(n):
        source = Maker(seed + i).template(i % 4)
        got = jinja_cases.outcome(env, source, CONTEXT)
        if got == "skip" or (got is None and n_errors * 8 > len(cases)):  # errors are many and alike
            continue
        n_errors += got is None
        cases.append([source, got["text"] if got else None])
    with open(out, "w", encoding="utf-8") as file:
        file.write('{"context": ' + json.dumps({**CONTEXT, "now": jinja_cases.NOW.isoformat()}, ensure_ascii=False) + ',\n"cases": [\n')
        file.write(",\n".join(json.dumps(c, ensure_ascii=False) for c in cases))
        file.write("\n]}\n")
    print(len(cases), "cases,", n_errors, "errors")


if __name__ == "__main__":
    main()
