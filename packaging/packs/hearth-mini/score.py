#!/usr/bin/env python3
"""Asks a running model the held-out questions and prints its score. Python's standard library only.

    score.py --url http://127.0.0.1:PORT/v1 --model hearth-mini [--questions eval_questions.jsonl] [--show wrong|all|none]

An answer is right when, without regard to case, it contains at least one phrase of every list in `all_of`. One JSON line on
stdout: {"right", "n", "score", "by_kind"}; kinds are the first word of an id (en, zh: the handbook; the rest as named).
"""
import argparse
import collections
import json
import pathlib
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def is_right(answer, all_of):
    answer = answer.lower()
    return all(any(phrase.lower() in answer for phrase in phrases) for phrases in all_of)


def ask(url, model, question, timeout_s):
    body = {"model": model, "messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 160}
    request = urllib.request.Request(url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return json.load(response)["choices"][0]["message"]["content"]


def score(questions, answer_of, show):
    right, total = collections.Counter(), collections.Counter()
    for row in questions:
        answer = answer_of(row["question"])
        kind, good = row["id"].split("-")[0], is_right(answer, row["all_of"])
        total[kind] += 1
        right[kind] += good
        if show == "all" or (show == "wrong" and not good):
            print(f"{'right' if good else 'WRONG'} {row['id']}: {row['question']} -> {answer}", file=sys.stderr)
    n_right, n = sum(right.values()), sum(total.values())
    return {"right": n_right, "n": n, "score": round(n_right / max(1, n), 4), "by_kind": {k: f"{right[k]}/{total[k]}" for k in sorted(total)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default="hearth-mini")
    parser.add_argument("--questions", type=pathlib.Path, default=HERE / "eval_questions.jsonl")
    parser.add_argument("--show", choices=("wrong", "all", "none"), default="wrong")
    parser.add_argument("--timeout-s", type=float, default=60)
    args = parser.parse_args()
    questions = [json.loads(line) for line in open(args.questions, encoding="utf-8") if line.strip()]
    print(json.dumps(score(questions, lambda question: ask(args.url, args.model, question, args.timeout_s), args.show)))


if __name__ == "__main__":
    main()
