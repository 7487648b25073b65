"""Makes jinja_cases.json: small templates and what Jinja2 renders, set up as transformers does it.

    python3 jinja_cases.py jinja_cases.json            # the fixture: every kind of thing once
    python3 jinja_cases.py --all all_cases.json        # all combinations, for jinja_cases_test with HEARTH_JINJA_CASES=...
    python3 jinja_cases.py --all --random 20000 random_cases.json    # templates put together by chance, for the same

Needs jinja2 3.1.6 or later. Not part of the build: the fixture is committed.
"""
import copy
import datetime
import json
import random
import re
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 1, 31, 12, 0, 0)

CONTEXT = {
    "t": True, "f": False, "n": None, "i": 7, "z": 0, "neg": -3, "r": 2.5, "big": 9007199254740993, "e": "", "s": "Hello World",
    "u": "grüße, 世界 🔥", "ws": "  a\tb \n", "q": "it's \"q\" & <x>", "num": "42", "l": [3, 1, 2], "ls": ["b", "A", "c"],
    "ln": [[1, "x"], [2, "y"]], "el": [], "d": {"b": 1, "a": [1, {"k": None}], "Ü": "ü"}, "ed": {},
    "ld": [{"role": "user", "n": 2}, {"role": "tool", "n": 1}, {"role": "User"}], "lines": "one\ntwo\r\n\nthree",
}


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    class TemplateDict:
        def __call__(self, *args, **kwargs):
            return dict(*args, **kwargs)

        def fromkeys(self, *args, **kwargs):
            return dict.fromkeys(*args, **kwargs)

    class TemplateNamespace(jinja2.utils.Namespace):
        def __init__(*args, **kwargs):
            self, args = args[0], args[1:]
            attrs = dict(*args, **kwargs)
            for name in attrs:
                TemplateNamespace._check_name(name)
            jinja2.utils.Namespace.__init__(self, attrs)

        def __setitem__(self, name, value):
            TemplateNamespace._check_name(name)
            jinja2.utils.Namespace.__setitem__(self, name, value)

        @staticmethod
        def _check_name(name):
            if isinstance(name, str) and name.startswith("_"):
                raise jinja2.exceptions.SecurityError(name)

    env.filters["tojson"] = tojson
    env.globals.update(raise_exception=raise_exception, strftime_now=NOW.strftime, dict=TemplateDict(), namespace=TemplateNamespace)
    return env


def expressions(everything):
    values = list(CONTEXT) + ["missing", "(1, 'a')", "(1,)", "()", "[none, true, 1.0]", "'{}-{}'", "range(4)"]
    some = values if everything else ["i", "r", "t", "s", "u", "ws", "l", "ls", "ln", "d", "ld", "n", "missing", "(1, 'a')", "e"]
    for v in values:
        yield v
        for test in ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping",
                     "iterable", "sequence", "callable", "odd", "even", "lower", "upper", "divisibleby(2)", "in [1, 'a', 7]", "eq 7",
                     "sameas none", "gt 1", "lt 1", "ge 7", "le 7", "ne 7", "not none", "not defined", "filter", "test", "escaped"]:
            if everything or v in some:
                yield f"{v} is {test}"
    filters = ["abs", "capitalize", "center(9)", "count", "default('x')", "default('x', true)", "d('y')", "dictsort", "dictsort(false, 'value')",
               "dictsort(reverse=true)", "escape", "e", "first", "float", "float(1.5)", "indent", "indent(2, true)", "indent(2, blank=true)",
               "indent('> ')", "int", "int(5)", "int(base=16)", "items|list", "join", "join(', ')", "join('-', attribute='role')", "last",
               "length", "list", "lower", "map('upper')|list", "map(attribute='role')|list", "map(attribute='n', default=9)|list",
               "map('string')|join", "max", "min", "max(attribute='n')", "min(case_sensitive=true)", "reject('odd')|list", "rejectattr('n')|list",
               "rejectattr('role', 'equalto', 'user')|list", "replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '.')", "reverse|list",
               "reverse", "round", "round(1)", "round(-1)", "round(0, 'ceil')", "round(method='floor')", "safe", "select|list",
               "select('string')|list", "select('gt', 1)|list", "selectattr('n')|list", "selectattr('role', 'in', ['user'])|list", "sort",
               "sort(reverse=true)", "sort(true)", "sort(case_sensitive=true)", "sort(attribute='role')", "sort(attribute='n,role')", "string",
               "sum", "sum(attribute='n')", "sum(start=10)", "title", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)",
               "tojson(separators=(',', ':'))", "tojson(sort_keys=true)", "trim", "trim('Hd ')", "truncate(5)", "truncate(8, true, '..')",
               "truncate(255)", "unique|list", "unique(true)|list", "upper", "wordcount", "batch(2)|list", "batch(2, 'x')|list",
               "slice(2)|list", "slice(2, 'x')|list", "groupby('role')|list", "groupby('n', default=0)|list", "urlencode", "striptags",
               "format(1, 2)", "attr('upper')", "xmlattr", "wordwrap(5)", "filesizeformat", "pprint", "random", "forceescape", "urlize",
               "string|length", "list|length", "string|list|last", "first|default('none')"]
    for f in filters:
        for v in some:
            yield f"{v}|{f}"
    methods = ["upper()", "lower()", "title()", "capitalize()", "strip()", "lstrip()", "rstrip('dl')", "strip(' a')", "split()", "split(' ', 1)",
               "split('l')", "split(none, 1)", "rsplit(' ', 1)", "rsplit(none, 1)", "rsplit(maxsplit=1)", "splitlines()", "splitlines(true)",
               "startswith('H')", "startswith(('x', 'H'))", "endswith('d')", "endswith('')", "replace('o', '0')", "replace('o', '0', 1)", "find('o')",
               "find('o', 5)", "find('zz')", "rfind('o')", "index('o')", "rindex('o')", "index('zz')", "count('l')", "count('')", "isdigit()",
               "isalpha()", "isalnum()", "isspace()", "isupper()", "islower()", "isnumeric()", "isdecimal()", "isidentifier()", "istitle()",
               "isascii()", "isprintable()", "join(['a', 'b'])", "join('abc')", "partition(' ')", "rpartition('o')", "removeprefix('He')",
               "removesuffix('ld')", "zfill(15)", "center(15, '*')", "ljust(15)", "rjust(15, '.')", "expandtabs(4)", "swapcase()", "casefold()",
               "encode()", "format(1, 2)", "format_map({})", "translate({})", "items()", "items()|list", "keys()", "keys()|list", "values()|list",
               "get('a')", "get('x')", "get('x', 5)", "get(1)", "copy()", "pop()", "append(1)", "update({})", "clear()", "index(1)", "count(1)",
               "sort()", "reverse()", "insert(0, 1)", "extend([1])", "setdefault('q', 1)", "bit_length()", "is_integer()", "upper", "a", "b.c",
               "items", "__class__", "__len__()", "_x", "role", "0", "real", "imag"]
    for m in methods:
        for v in some:
            yield f"{v}.{m}"
    for k in ["0", "-1", "5", "'a'", "'role'", "1.0", "true", "none", "missing", ":2", "1:", "::2", "::-1", "-2:", "5:1:-2", ":-1", "1:10", "none:none",
              "'0'", "(0)", "i", "s"]:
        for v in some:
            yield f"{v}[{k}]"
    pairs = values if everything else ["i", "r", "t", "s", "l", "d", "n", "missing", "(1, 'a')", "neg", "z", "num"]
    for op in ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]:
        for a in pairs:
            for b in pairs:
                if "big" not in (a, b) or op not in ("**", "*", "%"):  # without a limit in Python
                    yield f"{a} {op} {b}"
    for v in some:
        yield from (f"-{v}", f"+{v}", f"not {v}", f"{v} if t else 1", f"1 if {v} else 2", f"1 if {v}", f"({v})", f"[{v}, {v}]", f"{{'k': {v}}}")
    yield from ["1 + 2 * 3 ** 2 - 4 // 3", "2 ** 3 ** 2", "-2 ** 2", "(-2) ** 2", "2 ** -1", "7 // -2", "7 % -2", "-7 % 3", "7.5 // 2", "-7.5 % 2",
                "1 / 3", "1e3", "1.5e-7", "1E5", "1_000", "0x1f", "0b11", "0o17", "1.0", "100000000000000000000", "123456789012345678", "1e16",
                "1e15", "123456.789e3", "0.1 + 0.2", "1e22", "1e-5", "5 // 0", "5 % 0", "5 / 0", "'a' 'b'", "'a' ~ 1 ~ none", "'%s-%d' % ('a', 3)",
                "'%5.2f|' % r", "'%s' % 'x'", "'%x' % 255", "'%05d' % 42", "'%-5s|' % 'a'", "'%5s|' % 'a'", "'%%' % ()", "'%r' % 'a'", "'%e' % 1234.5",
                "'%g' % 0.0001", "'%c' % 'x'", "'%+d' % 5", "'%(a)s' % {'a': 1}", "'%s %s' % 'a'", "'%d' % 'a'", "'{:>5}'.format('a')",
                "'{0}{1}{0}'.format('a', 'b')", "'{x}'.format(x=1)", "'{:.2f}'.format(r)", "'{:05d}'.format(i)", "'{!r}'.format('a')",
                "'{d[a]}'.format(d={'a': 1})", "'{{}}'.format()", "'{'.format()", "'{:,}'.format(1234567)", "'{a.b}'.format(a=1)",
                "'\\n\\t\\'\\\"\\\\'", "'\\x41\\u00e9\\U0001F600'", "'\\q'", "'\\101'", "\"double\"", "'a\\\nb'", "true and false or true",
                "not true or true", "1 < 2 < 3", "1 < 2 > 5", "1 == 1.0 == true", "1 in [1] in [[1]]", "'a' in 'abc' and 'z' not in 'abc'",
                "[1, 2] + [3]", "[1] * 3", "(1, 2) + (3,)", "'ab' * 3", "3 * 'ab'", "[] == ()", "{} == {}", "{'a': 1} == {'a': 1.0}", "[1, 2] < [1, 3]",
                "(1, 'a') == (1, 'a')", "{1: 'a', true: 'b'}", "{1.0: 'x'}[1]", "{none: 1}", "{(1, 2): 3}", "{[1]: 2}", "{'a': 1, 'a': 2}", "{'a': 1,}",
                "[1, 2,]", "(1, 2,)", "1, 2", "1,", "namespace(a=1).a", "namespace(a=1)", "namespace({'a': 2}).a", "namespace(_a=1)", "dict(a=1, b=2)",
                "dict([('a', 1)])", "dict(d, x=1)", "dict({'a': 1}, b=2)", "range(3)", "range(3)|list", "range(1, 7, 2)|list", "range(5, 0, -2)|list",
                "range(0)|list", "range(1, 4)", "range(9, 1, -3)", "range(9)[1:7]", "range(9)[::-2]", "range(9)[::100]", "range(2, 9, 2)[1:]", "[range(2)]", "range(2) ~ ''", "range(2)|tojson",
                "range(2) == [0, 1]", "range(2) == range(0, 2)", "range(2) + [1]", "range(2) * 2", "range(2) < range(3)", "range(3)[:2]|list", "range(3)[1]", "range(3)|length", "range(100001)", "range(3, 1)|list", "range(1.5)", "range('a')", "range()",
                "lipsum", "cycler(1, 2).next()", "joiner(',')()", "strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %d %b %y %p %I')",
                "strftime_now('%d %b %Y')", "raise_exception('no')", "caller", "loop", "self", "super()", "x.y", "x.y.z", "x['y']", "d.x.y", "d.a[1].k",
                "d['a'][0]", "d.a.0", "ld.0.role", "ld[0]['role']", "ld[-1].role", "s[0]", "u[7:9]", "u|length", "u[::-1]", "u.upper()", "'ß'|upper",
                "'İ'|lower", "'ǆ'|title", "'a-b c_d'|title", "\"they're bill's\"|title", "\"they're\".title()", "'ΑΣ'|lower", "'x' is defined",
                "x is defined", "d.x is defined", "x.y is defined", "s is string and s is not mapping", "i is divisibleby 7", "3 is odd", "4 is in [1, 4]",
                "i is sameas 7", "l is sameas l", "'a' is eq 'a'", "i == 7 is true", "not i is none", "s|length > 3", "s|upper|lower", "-i|abs", "(-i)|abs",
                "s|replace('o','0')|upper", "l|map('string')|join('+')", "ld|map(attribute='role')|map('upper')|join(' ')", "s ~ i|string", "1 + i|int",
                "s.split(' ')[0]|lower", "(s.split(' '))|last", "s|list|first", "[s, u]|map('length')|list", "ld|selectattr('n', 'defined')|list|length",
                "ld|rejectattr('n', 'defined')|map(attribute='role')|first", "l|sort|last", "l|sum / l|length", "l|max - l|min", "d|items|first",
                "d.items()|list|length", "d|dictsort|first", "d|length", "d|list", "d|join(',')", "d.keys()|list", "d == d", "'b' in d", "1 in d.values()",
                "[] is iterable", "'' or 'x'", "none or []", "0 or false", "1 and 'a'", "missing or 'x'", "missing ~ 'x'", "missing + 'x'", "missing.a",
                "missing['a']", "missing()", "missing|length", "missing|list", "missing|join", "missing|tojson", "missing == missing", "missing == none",
                "missing is none", "missing|default(none)", "missing in [1]", "1 in missing", "not missing", "missing|string", "missing|upper", "-missing",
                "missing * 2", "[missing]", "{'a': missing}|tojson", "[none, true]|tojson", "[1.0, 1e20, 1.5e-10]|tojson", "'\\u007f\\u00a0\\ud7ff'|tojson",
                "u|tojson(ensure_ascii=true)", "q|tojson", "(1, 2)|tojson", "d|tojson(indent=4)", "[]|tojson(indent=2)", "{}|tojson(indent=2)",
                "[[]]|tojson(indent=1)", "{1: 2, true: 3, none: 4, 1.5: 5}|tojson", "d|tojson(2)", "d|tojson(true)", "d|tojson(indent=0)",
                "d|tojson(indent='--')", "d|tojson(separators=('; ', '='))", "{'b': 1, 'a': {'d': 1, 'c': 2}}|tojson(sort_keys=true)", "[q]", "[u, ws]",
                "['\\u200b\\x7f\\x85']", "['a\\'b']", "['a\"b']", "[1.0, 1e16, 0.0001, 0.00001]", "{'a': [1, (2,)]}", "none", "None", "True", "true",
                "not none", "1 if false", "(1 if false) is defined", "[1, 2, 3][1:]", "'abc'[1]", "'abc'[5]", "'abc'[-5]", "'abc'['a']", "[1][5]",
                "[1]['a']", "(1, 2)[0]", "{'a': 1}['b']", "{'a': 1}.b", "{'items': 1}.items", "{'items': 1}['items']", "s.nothing", "s.nothing()",
                "i.nothing", "l.first", "[1, 2]|first", "''|first", "''|last", "[]|max", "[]|sum", "[]|join", "'abc'|join('-')", "'abc'|reverse",
                "'a b  c'.split(' ')", "'a,b'.split(',')", "' a '.strip() + '|'", "'%s' | format('a')", "'a' | replace('a', 1)", "'<a>'|e", "'<a>'|safe",
                "'x'|indent", "lines|indent(2)", "lines|indent(2, first=true)", "lines.splitlines()", "lines|wordcount", "'a' < 'b'", "'a' < 1", "1 < 1.5",
                "true < 2", "none < 1", "[1] < ['a']", "true + true", "true * 3", "-true", "true == 1", "true is integer", "1.0 is integer", "1 is float",
                "'1'|int + 1", "'1.9'|int", "'x'|int", "'1e3'|int", "' 7 '|int", "'-7'|int", "none|int", "'ff'|int(base=16)", "'0x1f'|int(base=16)",
                "'1.5'|float", "'nan'|float", "'inf'|float", "'1_0'|int", "2.5|round", "3.5|round", "-2.5|round", "2.675|round(2)", "1234.5|round(-2)",
                "7|round", "2.1|round(0, 'ceil')", "1.15|round(1)", "r|int", "-2.7|int", "1e400", "-1e400|int", "loop.index", "foo.bar is defined",
                "s.upper is callable", "range is callable", "namespace is callable", "dict is callable", "i is callable", "s|attr('upper')", "d|attr('a')",
                "s.format", "'{0.__class__}'.format(1)", "''.__class__", "[].__class__", "self.__init__", "range.__globals__", "s|map('nope')|list",
                "s|nope", "s is nope", "1 is in", "1 +", "(1", "1)", "[1", "{'a'", "'a", "1 2", "a b", "a.", "a[", "*a", "**a", "a b c", "x := 1", "lambda: 1",
                "f'{i}'", "b'a'", "a if", "if a", "a ? b : c", "a && b", "a || b", "!a", "a | ", "a is", "a in", "not", "@a", "a $ b", "#", "~a", "a ~",
                "foo(1)(2)", "dict(*[1])", "dict(**{'a': 1})", "range(*[1, 4])|list", "'{}{}'.format(*['a', 'b'])", "namespace(**{'a': 1}).a"]


def templates():
    yield from ["a\n{% if t %}\nb\n{% endif %}\nc", "  {% if t %}x{% endif %}  \n y", "a {%- if t -%} b {%- endif -%} c", "a\n\n  {%- if t %}\n b{% endif %}",
                "{% if t +%}\nx{% endif %}", "  {%+ if t %}x{% endif %}", "{{ 1 }}\n{{ 2 }}\n", "{{ 1 -}}  \n {{- 2 }}", "{# c #}\nx", "  {# c #}x", "a {#- c -#} b",
                "{# a\nb #}c\n", "{% raw %}{{ x }}{% if %}{% endraw %}", "{% raw -%}  a  {%- endraw %}b", " {% raw %}\na\n{% endraw %}\nb", "x{% raw %}{# #}{% endraw %}",
                "a\n", "a\n\n", "\na", "a\r\nb\rc", "{% set x = 1 %}\n{{ x }}", "{%- set x = 1 -%}\n\n {{ x }}", "\t{% if t %}\ta{% endif %}", "a \t{% if t %}b{% endif %}",
                "{{ '{{' }} {{ '}}' }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a': 1}}}", "{%if t%}a{%endif%}", "{{t}}{{f}}", "{ {% if t %}a{% endif %} }", "a { b } c % #",
                "{% if f %}a{% elif t %}b{% else %}c{% endif %}", "{% if f %}a{% else %}c{% endif %}", "{% if missing %}a{% endif %}!", "{% if not missing and t %}a{% endif %}",
                "{% for x in l %}{{ x }},{% endfor %}", "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}",
                "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}",
                "{% for x in l %}{% if loop.changed(x > 1) %}{{ x }}{% endif %}{% endfor %}", "{% for x in el %}a{% else %}none{% endfor %}", "{% for x in l if x > 1 %}{{ x }}/{{ loop.length }} {% endfor %}",
                "{% for x in l if x > 5 %}a{% else %}empty{% endfor %}", "{% for a, b in ln %}{{ a }}={{ b }};{% endfor %}", "{% for k, v in d.items() %}{{ k }}:{{ v }};{% endfor %}",
                "{% for k, v in d|items %}{{ k }};{% endfor %}", "{% for k in d %}{{ k }};{% endfor %}", "{% for c in s %}{{ c }}.{% endfor %}", "{% for c in missing %}{{ c }}{% else %}no{% endfor %}",
                "{% for c in n %}a{% endfor %}", "{% for c in i %}a{% endfor %}", "{% for x in range(3) %}{% for y in range(2) %}{{ loop.index }}{{ loop.depth }}{% endfor %};{% endfor %}",
                "{% for x in l %}{% set y = x %}{% endfor %}{{ y is defined }}", "{% set y = 0 %}{% for x in l %}{% set y = x %}{{ y }}{% endfor %}{{ y }}",
                "{% set ns = namespace(y=0) %}{% for x in l %}{% set ns.y = ns.y + x %}{% endfor %}{{ ns.y }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}",
                "{% set ns = namespace(a=1) %}{{ ns.b is defined }}{{ ns['a'] }}{% set ns['a'] = 2 %}", "{% set d.x = 1 %}", "{% set x.y = 1 %}", "{% set ns = namespace(a=1) %}{% set ns._b = 2 %}",
                "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% break %}",
                "{% for x in l %}{% if t %}{% set y = x %}{{ y }}{% endif %}{% endfor %}", "{% if t %}{% set y = 1 %}{% endif %}{{ y }}", "{% set x %}a{{ i }}b{% endset %}[{{ x }}]",
                "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x | replace('a', 'b') | upper %}a{% endset %}{{ x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}",
                "{% set a, b = [1] %}", "{% set a = b = 1 %}", "{% set a = 1, 2 %}{{ a }}", "{% set x = x|default(3) %}{{ x }}", "{% set i = i + 1 %}{{ i }}",
                "{% macro m(a, b=2, *c) %}{% endmacro %}", "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
                "{% macro m() %}{{ i }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=1) }}",
                "{% macro m(x) %}{{ x }}{% if x > 0 %}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m() %}{% set q = 1 %}{{ q }}{% endmacro %}{{ m() }}{{ q is defined }}",
                "{% set v = 1 %}{% macro m() %}{{ v }}{% endmacro %}{% set v = 2 %}{{ m() }}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{{ a() }}{% macro a() %}A{% endmacro %}",
                "{% macro m() %} x {% endmacro %}[{{ m() }}][{{ m()|trim }}]", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m(a=missing) %}{{ a is defined }}{% endmacro %}{{ m() }}",
                "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}",
                "{% macro m(a) %}{{ a }}{{ caller() }}{% endmacro %}{% call m('x') %}{{ s }}{% endcall %}", "{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}", "{% call 5 %}{% endcall %}",
                "{{ m }}{% macro m() %}{% endmacro %}", "{% macro m() %}{% endmacro %}{{ m.name }}", "{% macro m() %}{% endmacro %}{{ m is callable }}", "{% filter upper %}abc{{ s }}{% endfilter %}",
                "{% filter replace('a', 'b')|upper %}abc{% endfilter %}", "{% filter nope %}{% endfilter %}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}", "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
                "{% set a = 5 %}{% with a=1, b=a %}{{ b }}{% endwith %}", "{% generation %}x{{ i }}{% endgeneration %}y", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{% for x in l %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
                "{% for x in l recursive %}{{ x }}{% endfor %}", "{% for x in ln recursive %}{% if x is iterable and x is not string %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}", "{% block a %}x{% endblock %}",
                "{% extends 'a' %}", "{% include 'a' %}", "{% import 'a' as b %}", "{% from 'a' import b %}", "{% autoescape true %}{{ q }}{% endautoescape %}", "{% do l.append(1) %}", "{% nope %}", "{% if t %}", "{% endif %}", "{% else %}",
                "{% for x in l %}", "{% for in l %}{% endfor %}", "{% for x l %}{% endfor %}", "{% for x.y in l %}{% endfor %}", "{% for true in l %}{% endfor %}", "{% set true = 1 %}", "{% set 1 = 1 %}", "{% set x %}", "{{ x", "{% if t", "{# x", "{{ }}", "{% %}", "}}", "%}",
                "{% raw %}x", "{{ x }}}", "{{{ 1 }}}", "{% if t %}{% for x in l %}{% endif %}{% endfor %}", "{%if(t)%}a{%endif%}", "{% if t and\n f %}a{% else %}b{% endif %}", "{{\n1\n}}", "{%\nif t\n%}\na{% endif %}", "{{ 1 }}{# x #}{{ 2 }}",
                "{{ s -}}\n{{ i }}", "{{- s }}", " {{- s -}} ", "x{%- if t %} y {% endif -%} z", "{% if t -%}\n  a\n{%- endif %}\nb", "{%- for x in l -%}\n{{ x }}\n{%- endfor -%}", "  {%- for x in l %}\n    {{ x }}\n  {%- endfor %}\n",
                "{% for x in l -%}\n  {{- x }}\n{% endfor %}", "{{ raise_exception('bad ' ~ s) }}", "{% if f %}{{ raise_exception('x') }}{% endif %}ok", "{{ '\\n' }}|{{ \"a\\tb\" }}", "{% set x = '''a''' %}{{ x }}", "{{ \"it's\" }}", "{{ 'a' if t else 'b' if f else 'c' }}",
                "{{ (1, 2)[0] }}{{ [1, 2][::-1] }}{{ 'abc'[::-1] }}", "{% set x = [] %}{{ x.append(1) }}", "{% set x = {} %}{{ x.update({'a': 1}) }}", "{% for m in ld %}{{ m.role }}{{ m['n'] }}{{ m.get('n', '-') }} {% endfor %}",
                "{% for m in ld|selectattr('role', 'equalto', 'user') %}{{ m.n }}{% endfor %}", "{% for m in ld[1:] %}{{ loop.index0 }}{{ m.role }}{% endfor %}", "{% for m in ld|reverse %}{{ m.role }}{% endfor %}", "{% for x in l|sort %}{{ x }}{% endfor %}",
                "{% for x in (1, 2) %}{{ x }}{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for (a, b) in ln %}{{ a }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in l %}{% endfor %}",
                "{% for x in l %}{{ loop }}{% endfor %}", "{% for x in l %}{{ loop.nope }}{% endfor %}", "{% set loop = 1 %}{% for x in l %}{{ loop.index }}{% endfor %}{{ loop }}", "{% for loop in l %}{{ loop }}{% endfor %}", "{% for x in l %}{{ x }}{% endfor %}{{ x is defined }}",
                "{% set x = 9 %}{% for x in l %}{{ x }}{% endfor %}{{ x }}", "{% for x in l %}{% else %}{{ x is defined }}{% endfor %}", "{% for x in el %}{% else %}{{ i }}{% endfor %}", "{% for x in l %}{% for x in ls %}{{ x }}{% endfor %}{{ x }}{% endfor %}",
                "{% set ns = namespace(found=false) %}{% for m in ld %}{% if m.role == 'tool' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}", "{% if i == 7 and (s|length > 3 or missing) %}y{% endif %}", "{{ ld|tojson }}\n{{ ld|tojson(indent=2) }}",
                "{{ d.a[1]['k'] is none }}", "{{ loop is defined }}", "{%- macro r(x) -%}{%- if x is mapping -%}{{ '{' }}{%- for k, v in x|items -%}{{ k }}:{{ r(v) }},{%- endfor -%}{{ '}' }}{%- elif x is sequence and x is not string -%}[{%- for y in x -%}{{ r(y) }},{%- endfor -%}]{%- else -%}{{ x }}{%- endif -%}{%- endmacro -%}{{ r(d) }}",
                "{% set x = namespace(l=[]) %}{% for y in l %}{% set x.l = x.l + [y * 2] %}{% endfor %}{{ x.l }}", "{% set t2 = 'a\nb' %}{{ t2 }}", "{{ 'a\nb'|length }}", "{{ \"\" }}{{ '' }}", "{{ [1,2,3]|map('string')|list }}", "{% set a = [1, 2] %}{% set b = a + a %}{{ a }}{{ b }}"]


def further_templates():
    """Markup, escaping, objects with a state, page filters, and what is an error only when it is reached."""
    # A filter or a test that does not exist: whatever Jinja thinks outside an if, here it is an error when it is reached.
    yield from ["{% if f %}{{ s|from_json }}{% endif %}ok", "{% if t %}{{ s|from_json }}{% endif %}", "{{ (s|from_json) if f else 'ok' }}",
                "{{ (s|from_json) if t else 'ok' }}", "{% if f and s is nosuch %}a{% else %}b{% endif %}", "{% if t and s is nosuch %}a{% endif %}",
                "{% if f %}{{ l|map('nosuch')|list }}{% endif %}ok", "{{ l|map('nosuch')|list }}", "{{ el|map('nosuch')|list }}", "{{ l|select('nosuch')|list }}",
                "{% if f %}{% if t %}{{ s|a|b|c(1)|d }}{% endif %}{% elif t %}x{% endif %}",
                "{{ 'nosuch' is filter }}{{ 'nosuch' is test }}{{ 'upper' is filter }}"]
    marked = ["q|e", "q|escape", "q|safe", "q|forceescape", "q|e|e", "q|e|forceescape", "q|safe|e", "q|safe|forceescape", "n|safe", "i|safe", "missing|safe", "l|safe",
              "q|e + q", "q + q|e", "(q|e) + q", "q + (q|e)", "(q|safe) + (q|safe)", "(q|e) ~ q", "q ~ (q|e)", "(q|e) * 2", "2 * (q|e)", "(q|e)[0:8]", "(q|e)[3]", "(q|e)[::-1]",
              "(q|e)|upper", "(q|e)|lower + '<'", "(q|e)|capitalize + '<'", "(q|e)|title + '<'", "(q|e)|trim + '<'", "(q|e)|center(40) + '<'", "(q|e)|replace('&', '<')",
              "(q|e)|replace('&', '<') + '<'", "(q|e)|string + '<'", "(q|e)|join(',')", "[q|e, '<']|join('>')", "(q|e)|list", "(q|e)|first + '<'", "(q|e)|last + '<'",
              "(q|e)|reverse + '<'", "(q|e)|length", "(q|e)|tojson", "[q|e]", "{'a': q|e}", "(q|e) is escaped", "q is escaped", "(q|safe) is string", "(q|e) == (q|e|string)",
              "(q|e) in ['x', q|e]", "'&' in (q|e)", "(q|safe) == q", "{q|safe: 1}[q]", "(q|e)|default('x') + '<'", "(q|e)|indent + '<'", "('a\\nb'|safe)|indent(2, true) + '<'",
              "(q|e)|truncate(12) + '<'", "(q|e)|truncate(12, true, '<')", "(q|e)|wordcount", "(q|e)|striptags", "(q|e)|urlencode + '<'", "(q|e)|wordwrap(9) + '<'",
              "('<%s>'|safe) % '<'", "('<%s%d>'|safe) % ('<', 3)", "('%(a)s'|safe) % {'a': '<'}", "('%r'|safe) % '<'", "'%s' % (q|e)", "('%s'|safe)|format('<')", "('%s'|safe)|format('<') + '>'",
              "('{}'|safe).format('<')", "('{0}{a}'|safe).format('<', a='>')", "('{!r}'|safe).format('<')", "('{}'|safe).format(q|e)", "('{:>9}'|safe).format('<')", "'{}'.format(q|e) + '<'",
              "('{a}'|safe).format_map({'a': '<'})", "'{a}'.format_map({'a': '<'})", "(q|e).upper() + '<'", "(q|e).lower() + '<'", "(q|e).strip() + '<'", "(q|e).replace('a', '<')",
              "(q|e).replace('i', '<') + '<'", "(', '|safe).join(['<', 'b'|safe])", "(q|e).split(' ')", "(q|e).split(' ')[0] + '<'", "(q|e).rsplit(' ', 1)", "(q|e).splitlines()", "(q|e).partition(' ')",
              "(q|e).rpartition(' ')", "('a'|safe).ljust(5, '<')", "('a'|safe).ljust(5) + '<'", "('a'|safe).rjust(5, '.') + '<'", "('a'|safe).center(5) + '<'", "('a'|safe).zfill(5) + '<'",
              "('a'|safe).title() + '<'", "('a'|safe).swapcase() + '<'", "('a'|safe).capitalize() + '<'", "('a'|safe).removeprefix('a') + '<'", "('a'|safe).removesuffix('a') + '<'",
              "('a\\tb'|safe).expandtabs(4) + '<'", "('A'|safe).casefold() + '<'", "('a'|safe).find('a')", "('a'|safe).startswith('a')", "('a'|safe).count('a')", "('a'|safe).isalpha()",
              "[q|safe, '<']|map('upper')|list", "['b'|safe, 'a', '<']|sort", "['b'|safe, 'b']|unique|list", "['b'|safe]|max + '<'", "[1, 2]|sum|safe", "ld|map(attribute='role')|map('e')|list",
              "{'a': '<', 'b': none, 'c': missing, 'd': 1}|xmlattr", "{'a': '<'|safe}|xmlattr", "{'a b': 1}|xmlattr", "{'a': 1}|xmlattr(false)", "{}|xmlattr", "{'class': 'x', 'id': i}|xmlattr + '<'"]
    yield from ["{{ %s }}" % m for m in marked]
    yield from ["{%% autoescape true %%}{{ %s }}{%% endautoescape %%}" % m for m in marked]
    yield from ["{% autoescape true %}{{ q }}{{ '<b>' }}<i>{{ q|safe }}{% endautoescape %}{{ q }}", "{% autoescape false %}{{ q }}{% endautoescape %}", "{% autoescape t %}{{ q }}{{ q ~ ('a'|e) }}{% endautoescape %}",
                "{% autoescape f %}{{ q }}{% endautoescape %}", "{% autoescape true %}{% set x %}<{{ q }}>{% endset %}{{ x }}{% endautoescape %}", "{% autoescape true %}{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(q) }}{% endautoescape %}",
                "{% macro m(a) %}<{{ a }}>{% endmacro %}{% autoescape true %}{{ m(q) }}{% endautoescape %}{{ m(q) }}", "{% autoescape true %}{% filter upper %}<{{ q }}>{% endfilter %}{% endautoescape %}",
                "{% autoescape true %}{% for x in [q] %}{{ x }}{% endfor %}{{ [q, '<'|safe]|join('>') }}{{ q|replace('<', '>') }}{{ (q|e)|replace('&', '<') }}{% endautoescape %}",
                "{% autoescape true %}{% call(x) m2('<') %}{{ x }}{% endcall %}{% endautoescape %}", "{% macro m2(a) %}{{ caller(a) }}{% endmacro %}{% autoescape true %}{% call(x) m2('<') %}<b>{{ x }}{% endcall %}{% endautoescape %}",
                "{% autoescape true %}{{ l }}{{ d }}{{ none }}{{ 1.5 }}{{ missing }}{% endautoescape %}", "{% autoescape true %}{{ q|tojson }}{{ q|urlencode }}{% endautoescape %}", "{% autoescape true %}{% autoescape false %}{{ q }}{% endautoescape %}{{ q }}{% endautoescape %}"]
    yield from ["{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}{{ c.items }}{{ c.pos }}", "{{ cycler() }}", "{{ cycler(1).nothing is defined }}",
                "{% set c = cycler('odd', 'even') %}{% for x in l %}{{ c.next() }}{% endfor %}{% for x in ls %}{{ c.next() }}{% endfor %}", "{% set j = joiner() %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "{% set j = joiner(' | ') %}{{ j() }}{{ j() }}{{ j() }}{{ j.sep }}{{ j.used }}",
                "{{ joiner is callable }}{{ cycler is callable }}{{ joiner() is callable }}", "{{ joiner(sep='-')() }}x", "{{ cycler(1)() }}", "{{ joiner()(1) }}",
                "{% for x in l %}{{ loop.changed(x > 1) }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}", "{% for m in ld %}{{ loop.changed(m.role, m.n) }}{{ loop.changed() }} {% endfor %}",
                "{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.cycle(1) }}{% endfor %}", "{% for x in l %}{{ loop.cycle() }}{% endfor %}", "{% for x in l %}{{ loop|length }}{{ loop.length }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}",
                "{% for x in l %}{{ loop.nothing }}{{ loop.nothing is defined }}{{ loop is callable }}{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}", "{% for x in l %}{% set loop.index = 3 %}{% endfor %}",
                "{% for x in [[1, [2]], [[3]], 4] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}:{{ loop.depth }}{{ loop.depth0 }}{{ loop.index }}{% endif %}{% endfor %}",
                "{% for x in [{'n': 'a', 'c': [{'n': 'b', 'c': []}, {'n': 'c', 'c': [{'n': 'd', 'c': []}]}]}] recursive %}<{{ x.n }}{% if x.c %}{{ loop(x.c) }}{% endif %}>{% else %}none{% endfor %}",
                "{% for x in l recursive %}{{ x }}{{ loop([]) }}{% else %}e{% endfor %}", "{% for x in l recursive if x > 1 %}{{ x }}{% endfor %}", "{% for x in [3, 2] if x recursive %}{{ x }}{{ loop(range(x - 1)) }};{% endfor %}",
                "{% for x in [1] recursive %}{% for y in [2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for x in [1, 2] recursive %}{{ loop() }}{% endfor %}", "{% for x in [1, 2] recursive %}{{ loop(5) }}{% endfor %}",
                "{% set ns = namespace(n=0) %}{% for x in [[1, 2], [3]] recursive %}{% if x is iterable %}{{ loop(x) }}{% else %}{% set ns.n = ns.n + x %}{% endif %}{% endfor %}{{ ns.n }}"]
    yield from ["{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3) }}{{ m(1, x=2, y=3) }}{{ m(a=1, b=2) }}", "{% macro m() %}{{ varargs|length }}{% endmacro %}{{ m(1, 2) }}{{ m(x=1) }}", "{% macro m() %}{{ kwargs.x }}{% endmacro %}{{ m(x=1) }}{{ m(1) }}",
                "{% macro m(varargs) %}{{ varargs }}{% endmacro %}{{ m(1) }}", "{% macro m(kwargs=3) %}{{ kwargs }}{% endmacro %}{{ m() }}{{ m(x=1) }}", "{% macro m(a, b=2) %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}",
                "{% macro m() %}{{ kwargs }}{{ varargs }}{{ caller }}{% endmacro %}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
                "{% macro m(caller) %}{{ caller() }}{% endmacro %}", "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(a, b=2) m() %}{{ a }}{{ b }}{% endcall %}",
                "{% macro outer() %}{% macro inner() %}{{ caller() }}{% endmacro %}{% call inner() %}{{ i }}{% endcall %}{% endmacro %}{{ outer() }}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(1, *[2]) }}{{ m(**{'a': 1, 'b': 2}) }}{{ m(*[1], **{'b': 2}) }}{{ m(1, b=2) }}",
                "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1, 2]) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(**{'b': 1}) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(a=1, **{'a': 2}) }}", "{{ dict(**{'a': 1}) }}{{ dict(a=1, **{'b': 2}) }}{{ range(*[1, 4])|list }}{{ '{}{}'.format(*['a', 'b']) }}{{ namespace(**{'a': 1}).a }}",
                "{{ s|replace(*['l', 'L']) }}{{ l|join(**{'d': '-'}) }}", "{{ dict(*[1]) }}", "{{ dict(**5) }}", "{{ range(*5) }}", "{{ dict.fromkeys(['a', 'b'], 1) }}{{ dict.fromkeys('ab') }}"]
    yield from ["{% block a %}x{{ i }}{% endblock %}y", "{% block a %}x{% endblock a %}{{ self.a() }}", "{{ self.a() }}{% block a %}x{% endblock %}", "{% block a %}{% endblock %}{% block a %}{% endblock %}", "{% for x in l %}{% block a %}{{ x }}{% endblock %}{% endfor %}", "{% for x in l %}{% block a scoped %}{{ x }}{{ loop.index }}{% endblock %}{% endfor %}",
                "{% set x = 1 %}{% block a %}{{ x }}{% set x = 2 %}{% endblock %}{{ x }}", "{% block a %}{% set y = 2 %}{% endblock %}{{ y is defined }}", "{% block a required %} {% endblock %}", "{% block a required %}x{% endblock %}", "{% block a %}{% block b %}b{% endblock %}a{% endblock %}{{ self.b() }}", "{{ self.nothing is defined }}{% block a %}{% endblock %}", "{% block a-b %}{% endblock %}",
                "{% if f %}{% include 'a' %}{% import 'a' as b %}{% from 'a' import b, c as d with context %}{% extends 'x' %}{% include ['a', 'b'] ignore missing without context %}{% endif %}ok", "{% include 'a' ignore missing %}", "{% if f %}{% include %}{% endif %}", "{% if f %}{% import 'a' %}{% endif %}", "{% if f %}{% from 'a' import _b %}{% endif %}",
                "{% print 1, s %}{% print q %}", "{% print %}x", "{% if f %}{% do l.append(1) %}{% endif %}", "{% if f %}{% trans %}x{% endtrans %}{% endif %}", "{% if f %}{% debug %}{% endif %}", "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}", "{% set ns = namespace() %}{% set (ns.a, x) = (1, 2) %}{{ ns.a }}{{ x }}"]
    yield from ["{% set g = l|map('string') %}{{ g|list }}{{ g|list }}", "{% set g = l|select %}{{ g|first }}{{ g|list }}", "{% set g = l|map('string') %}{{ '1' in g }}{{ g|list }}", "{% set g = ls|reverse %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% endfor %}", "{{ (l|map('string'))|last }}", "{{ l|unique|length }}", "{% set g = l|batch(2) %}{{ g is iterable }}{{ g is sequence }}{{ g|list }}",
                "{{ d.items() }}", "{{ d.keys()|list }}{{ d.values()|list }}{{ d.items()|list }}{{ d.keys()|length }}{{ d.items()|first }}{{ d.keys()|last }}{{ 'a' in d.keys() }}{{ d.keys() is sequence }}{{ d.keys() is iterable }}", "{{ d.items()[0] }}", "{{ d.keys() + ['x'] }}", "{{ d.keys() == ['b', 'a', 'Ü'] }}", "{{ d.keys()|tojson }}", "{{ d.keys()[0:1] }}", "{% for k, v in d.items() %}{{ k }}{% endfor %}", "{{ d.items()|sort }}", "{{ ed.items()|list }}{{ 'y' if ed.keys() else 'n' }}",
                "{{ {(1, 2): 3}[(1, 2)] }}{{ {(1, 2): 3} }}{{ (1, 2) in {(1, 2): 3} }}", "{{ {range(3): 1}[range(3)] }}", "{{ {missing: 1} }}", "{{ {[1]: 1} }}", "{{ {(1, [2]): 1} }}", "{{ [[1], [1]]|unique|list }}", "{{ [(1, 2), (1, 2)]|unique|list }}", "{{ [d]|unique|list }}", "{{ (1, [2]) in d }}", "{{ range(3) in {} }}", "{{ [range(3), range(0, 3)]|unique|list|length }}",
                "{{ big // 2.5 }}", "{{ big % 2.5 }}", "{{ -7 // 2.0 }}{{ -7 % 2.0 }}{{ 7 // -2.0 }}{{ 7 % -2.0 }}{{ 0.0 // -1.0 }}{{ 1 // 0.1 }}{{ 1 % 0.1 }}{{ 0.3 // 0.1 }}{{ 0.3 % 0.1 }}", "{% set gr = ld|groupby('role') %}{{ gr[0].grouper }}{{ gr[0].list }}{{ gr[0][0] }}{{ gr }}", "{% for x in ld|groupby('role') %}{{ x.grouper }}:{{ x.list|length }};{% endfor %}",
                "{{ range(1, 9, 2).start }}{{ range(1, 9, 2).stop }}{{ range(1, 9, 2).step }}{{ range(3).count(1) }}{{ range(3).index(2) }}", "{{ l.copy() is sameas l }}{{ d.copy() == d }}", "{{ (1, 2).count(1) }}{{ (1, 2).index(2) }}{{ (1, 2).append is defined }}", "{{ i.real }}{{ i.imag }}{{ r.real }}{{ r.imag }}{{ i.numerator }}{{ i.denominator }}{{ t.real }}",
                "{{ 'a\\x0bb\\x0cc\\x1cd\\x85e\\u2028f'.splitlines() }}", "{{ 'a\\x0bb\\n\\nc\\r\\nd\\re'.splitlines(true) }}", "{{ 'a\\x0bb\\x85c'|indent(2) }}", "{{ ''.splitlines() }}{{ '\\n'.splitlines() }}", "{{ '\\u00bd\\u00b2\\u4e00x'.isnumeric() }}{{ '\\u00bd'.isnumeric() }}{{ '\\u00b2'.isdigit() }}{{ '\\u4e00'.isnumeric() }}{{ '\\u4e00'.isdigit() }}{{ '\\u00bdA'.isalnum() }}"]
    long = "The quick brown fox jumps over the lazy dog -- and well-known, hand-made things: super-cali-fragilistic---really-long-words-abcdefghijklmnopqrstuvwxyz and  double  blanks."
    for width in (5, 9, 12, 20, 40, 79):
        for options in ("", ", false", ", true, '|'", ", true, none, false", ", false, '*', false"):
            yield "{{ %r|wordwrap(%d%s) }}" % (long, width, options)
    yield from ["{{ 'a b\\n\\nc d e'|wordwrap(3) }}", "{{ ''|wordwrap }}", "{{ 'grüße 世界 grüße 世界'|wordwrap(6) }}", "{{ s|wordwrap(0) }}", "{{ 5|wordwrap }}", "{{ '--foo- -bar a-1 a-b-c x-y'|wordwrap(4) }}", "{{ 'ab\\tcd   ef'|wordwrap(4) }}", "{{ lines|wordwrap(3) }}", "{{ missing|wordwrap }}"]
    for n in ("0", "1", "-1", "999", "1000", "1024", "1000000", "123456789", "10**12", "10**15", "10**18", "1e21", "1e24", "1e27", "1e30", "'1500'", "'x'", "none", "missing", "1.0", "999.9", "true", "r"):
        yield "{{ (%s)|filesizeformat }}{{ (%s)|filesizeformat(true) }}" % (n, n)
    for v in ("s", "u", "ws", "q", "d", "ed", "l", "ld", "ln", "'a/b?c=d&e'", "{'a b': 'c&d', 'e': 1}", "[('a', 1), ('b c', '/')]", "[[1, 2, 3]]", "5", "none", "missing", "r", "(('x', 'y'),)", "'~-._!*()'"):
        yield "{{ %s|urlencode }}" % v
    for v in ("'<p>a <b>b</b></p>\\n  c <!-- d --> e'", "'&lt;a&gt; &amp; &quot;b&quot; &#39;c&#39; &#x41;&#65 &eacute;&copy; &nbsp;x'", "'<a'", "'a > b < c'", "q", "s", "5", "none", "missing", "'&#0;&#128;&#xD800;&#1;&#13;x'", "'&ampfoo &notin'", "'<!-- a'", "'&apos;&AMP;&'", "''"):
        yield "{{ %s|striptags }}" % v
    for v in ("'see http://a.bc/d?e=f, (https://example.com/x_(y)) or www.example.org.'", "'mail me@example.com or mailto:you@example.com'", "'example.com x.net/a <b> foo.bar'", "'http://1.2.3.4:80/x http://[::1]/ https://localhost'", "'a@b@c @d.com www.x'", "q", "s", "lines", "5", "none", "'tel:123 ftp://x.y'", "'http://a.bc/<script>'"):
        for options in ("", "(12)", "(nofollow=true)", "(target='_blank')", "(rel='a b')", "(extra_schemes=['tel:', 'ftp://'])", "(extra_schemes=['x'])"):
            yield "{{ %s|urlize%s }}" % (v, options)
    for v in ("i", "s", "u", "q", "l", "d", "ld", "ln", "el", "ed", "n", "missing", "(1,)", "range(30)|list", "range(3)", "[s * 9, s]", "{'k': s * 9, 'a': [1, 2, {'z': s * 8, 'b': 1}]}", "s * 20", "[s * 20]", "(s * 10, (1, 2, s * 8))", "'a\\nb' * 30", "{2: 'b', 1: 'a', 'x': none}", "[d, d, d, d]", "{'aaaaaaaaaaaaaaaaaaaa': {'bbbbbbbbbbbbbbbbbbbbbbbbbb': {'cccccccccccccccccccccccc': [1, 2, 3, 4, 5]}}}", "[q|e]", "q|safe", "[[[[s * 8]]]]", "r"):
        yield "{{ %s|pprint }}" % v


class Maker:
    """Templates put together by chance."""

    VALUES = list(CONTEXT) + ["missing", "(1, 'a')", "[none, true, 1.0]", "{'a': 1, 'b': [2]}", "range(4)", "'<b>'|safe", "q|e", "''", "0", "-2", "3.5", "'x y z'", "ld[0].role", "d.a[0]", "u[2:5]"]
    FILTERS = ["abs", "capitalize", "center(9)", "count", "default('x')", "default('x', true)", "dictsort", "e", "first", "float", "forceescape", "indent(2)", "indent(2, true, true)", "int", "items|list", "join(', ')", "join('-', attribute='role')", "last",
               "length", "list", "lower", "map('upper')|list", "map(attribute='role')|list", "max", "min", "reject('odd')|list", "replace('l', 'L')", "replace('e', '<', 1)", "reverse|list", "round", "round(1)", "safe", "select('string')|list", "selectattr('n')|list",
               "sort", "sort(reverse=true)", "sort(attribute='role')", "string", "sum", "title", "tojson", "tojson(indent=2)", "trim", "truncate(5)", "unique|list", "upper", "wordcount", "batch(2)|list", "slice(2)|list", "groupby('role')|list", "urlencode", "striptags", "wordwrap(5)",
               "filesizeformat", "pprint", "urlize", "xmlattr", "format(1)", "attr('upper')", "map('string')|join", "string|length", "list|last", "string|list|first"]
    TESTS = ["defined", "none", "string", "number", "mapping", "iterable", "sequence", "callable", "odd", "even", "escaped", "in [1, 7, 'a']", "eq 7", "gt 1", "sameas none", "true", "boolean", "integer", "float", "lower", "upper", "divisibleby(2)", "not none"]
    METHODS = ["upper()", "strip()", "split()", "split('l', 1)", "splitlines()", "startswith('H')", "replace('o', '0')", "find('o')", "count('l')", "items()|list", "keys()|list", "get('a')", "title()", "partition(' ')", "join(['a', 'b'])", "zfill(5)", "center(11, '*')", "rsplit(' ', 1)",
               "format('<', 2)", "isdigit()", "swapcase()", "index(1)", "a", "role", "copy()"]
    OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or", "**"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def expression(self, depth=3):
        kind = self.random.randrange(10) if depth > 0 else 0
        one = lambda: self.expression(depth - 1)
        if kind <= 1:
            return self.random.choice(self.VALUES)
        if kind <= 4:
            return f"({one()})|{self.random.choice(self.FILTERS)}"
        if kind == 5:
            return f"({one()}) is {self.random.choice(self.TESTS)}"
        if kind == 6:
            return f"({one()}).{self.random.choice(self.METHODS)}"
        if kind == 7:
            return f"({one()})[{self.random.choice(['0', '-1', '1:', '::-1', ':2', repr('a'), repr('role')])}]"
        if kind == 8:
            return f"({one()} if {one()} else {one()})"
        operator = self.random.choice(self.OPERATORS)
        return f"({one()} {operator} {self.random.choice(['2', '3', '1']) if operator == '**' else one()})"

    def body(self, depth=2):
        return "".join(self.statement(depth) for _ in range(self.random.randrange(1, 4)))

    def statement(self, depth):
        kind = self.random.randrange(12) if depth > 0 else self.random.randrange(3)
        e = lambda: self.expression(2)
        if kind == 0:
            return self.random.choice(["text ", "\n", "  \n  ", "<&>", " x"])
        if kind <= 4:
            return "{{ " + e() + " }}"
        if kind == 5:
            return "{% if " + e() + " %}" + self.body(depth - 1) + "{% else %}" + self.body(depth - 1) + "{% endif %}"
        if kind == 6:
            return "{% for x in " + e() + " %}{{ loop.index }}{{ x }}" + self.body(depth - 1) + "{% else %}none{% endfor %}"
        if kind == 7:
            return "{% set v = " + e() + " %}{{ v }}"
        if kind == 8:
            return "{% set v %}" + self.body(depth - 1) + "{% endset %}[{{ v|trim }}]"
        if kind == 9:
            return "{% filter upper %}" + self.body(depth - 1) + "{% endfilter %}"
        if kind == 10:
            return "{% macro m(a, b=1) %}" + self.body(depth - 1) + "{{ a }}{% endmacro %}{{ m(" + e() + ") }}"
        return "{% autoescape true %}" + self.body(depth - 1) + "{% endautoescape %}"


def random_templates(n):
    for seed in range(n):
        maker = Maker(seed)
        yield "{{ " + maker.expression() + " }}" if seed % 2 else maker.body()


def outcome(env, source, context=CONTEXT):
    try:
        text = env.from_string(source).render(**copy.deepcopy(context))
    except (RecursionError, MemoryError):
        return "skip"
    except Exception:
        return None
    if len(text) > 100000:
        return "skip"
    for address in ("object at 0x", "<bound method", "<built-in", "<function ", "<Macro", "<class ", "<LoopContext", "<Namespace", "generator object", "dict_", "<jinja2"):
        if address.lower() in text.lower():
            return "skip"
    return {"text": text}


# What Hearth does not have, each a clear error: bytes, chance, numbers beyond 64 bits, entities beyond Latin-1.
MISSING = re.compile(r"encode\(\)|translate\(|bit_length|is_integer|10{20}|\|random|lipsum|indent='--'|neg \*\* r|missing\.__class__")


def main():
    everything = "--all" in sys.argv
    env = environment()
    sources = [f"{{{{ {e} }}}}" for e in expressions(everything)] + list(templates()) + list(further_templates())
    if "--random" in sys.argv:
        sources = list(random_templates(int(sys.argv[sys.argv.index("--random") + 1])))
    sources = list(dict.fromkeys(sources))
    if not everything:  # errors are many and alike
        random.seed(1)
    cases = []
    for source in sources:
        got = outcome(env, source)
        if got == "skip" or MISSING.search(source):
            continue
        if got is None and not everything and source.startswith("{{") and random.random() < 0.75:  # errors are many and alike
            continue
        cases.append([source, got["text"] if got else None])
    with open(sys.argv[-1], "w", encoding="utf-8") as out:
        out.write('{"context": ' + json.dumps({**CONTEXT, "now": NOW.isoformat()}, ensure_ascii=False) + ',\n"cases": [\n')
        out.write(",\n".join(json.dumps(c, ensure_ascii=False) for c in cases))
        out.write("\n]}\n")
    print(len(cases), "cases,", sum(c[1] is None for c in cases), "errors")


if __name__ == "__main__":
    main()
