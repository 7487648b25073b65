#!/usr/bin/env python3
"""Speed of tokenizing on one thread, ours beside Hugging Face's `tokenizers`, on the same vocabulary and text, interleaved.

usage: tokenizer_bench [-r 5] [--text FILE] [--json] MODEL...      MODEL: a vocabulary (.gguf) or a model's folder

Each repeat encodes the text once with both; medians are printed, with whether the ids are the same. The library reads the
tokenizer.json that we write of the vocabulary. Without --text: this project's documents and sources, and some made-up CJK text.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def usual_text():
    files = sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("runtime/**/*.cpp")) + sorted(ROOT.glob("model_store/**/*.cpp"))
    text = "\n".join(f.read_text("utf-8") for f in files)
    chinese = "".join(chr(0x4E00 + (i * i * 7 + i * 131) % 3000) + ("，" if i % 17 == 0 else "") for i in range(40_000))
    return text + chinese


def hash_of(ids):
    out = 0
    for i in ids:
        out = (out * 31 + i) % 1_000_000_007
    return out


class Worker:
    def __init__(self, program, model, text_file):
        self.process = subprocess.Popen([program, model, text_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the worker ended with {self.process.wait()}")
        return json.loads(line)


def measure(args, program, model, text_file, text):
    from tokenizers import Tokenizer
    worker = Worker(program, model, text_file)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "tokenizer.json")
        worker.do(file)
        peer = Tokenizer.from_file(file)
    seconds = {"ours": [], "theirs": []}
    same = True
    for _ in range(args.r):
        mine = worker.do("encode")
        seconds["ours"].append(mine["seconds"])
        begin = time.perf_counter()
        encoding = peer.encode(text, add_special_tokens=False)
        seconds["theirs"].append(time.perf_counter() - begin)
        same = same and hash_of(encoding.ids) == mine["hash"]
    ours, theirs = (len(text.encode()) / 1e6 / statistics.median(seconds[who]) for who in ("ours", "theirs"))
    return {"model": pathlib.Path(model).name, "mb_per_s": ours, "peer_mb_per_s": theirs, "ratio": ours / theirs, "same_ids": same,
            "n_ids": mine["n_ids"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("--text")
    parser.add_argument("--worker", default=next((str(p) for p in ROOT.glob("build/*/tests/bench/tokenizer_bench_worker")), "tokenizer_bench_worker"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    text = pathlib.Path(args.text).read_text("utf-8") if args.text else usual_text()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        rows = [measure(args, args.worker, model, file.name, text) for model in args.models]
    if args.json:
        print(json.dumps({"text_bytes": len(text.encode()), "rows": rows}))
        return
    print(f"{'model':28} {'ours MB/s':>10} {'tokenizers MB/s':>16} {'ratio':>7}  ids")
    for row in rows:
        print(f"{row['model']:28} {row['mb_per_s']:10.2f} {row['peer_mb_per_s']:16.2f} {row['ratio']:7.2f}  "
              f"{'the same' if row['same_ids'] else 'DIFFER'}")


if __name__ == "__main__":
    main()
