#!/usr/bin/env python3
"""Decode and prefill speed of GGUF models, ours beside llama.cpp's llama-bench, interleaved in one run, with the machine's limits.

usage: model_bench [--hearth build/dev/.../hearth] [--llama-bench PATH] [-p 512] [-n 64] [-r 5] [--threads T] [--json] MODEL.gguf ...

Each repeat runs every program once on every model, so that slow minutes hit all alike; medians are printed. Without
--llama-bench only ours is measured. Standard library only.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def ours(args, model):
    out = run_json([args.hearth, "bench", model, "-p", args.p, "-n", args.n, "--threads", args.threads, "--repeats", "1", "--json"])
    return {"prefill": out["prefill_tokens_per_s"], "decode": out["decode_tokens_per_s"], "limits": out["limits"],
            "weights_bytes": out["weights_bytes"], "decode_bytes_per_s": out["decode_bytes_per_s"],
            "prefill_flops_per_s": out["prefill_flops_per_s"]}


def theirs(args, model):
    rows = run_json([args.llama_bench, "-m", model, "-p", args.p, "-n", args.n, "-t", args.threads, "-r", "1", "-o", "json"])
    return {"prefill": next(r["avg_ts"] for r in rows if r["n_prompt"] > 0), "decode": next(r["avg_ts"] for r in rows if r["n_gen"] > 0)}


def find_hearth():
    root = pathlib.Path(__file__).resolve().parents[2]
    found = [p for p in root.glob("build/*/appliance/**/hearth") if p.is_file()]
    return str(found[0]) if found else "hearth"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--hearth", default=find_hearth())
    parser.add_argument("--llama-bench")
    parser.add_argument("-p", default="512")
    parser.add_argument("-n", default="64")
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    engines = {"hearth": ours} | ({"llama.cpp": theirs} if args.llama_bench else {})
    samples = {(name, model): [] for name in engines for model in args.models}
    for repeat in range(args.r):
        for model in args.models:
            for name, measure in engines.items():
                samples[name, model].append(measure(args, model))
                print(f"repeat {repeat + 1}/{args.r}: {pathlib.Path(model).name} {name}", file=sys.stderr)
    report = []
    for model in args.models:
        row = {"model": pathlib.Path(model).name}
        for name in engines:
            for figure in ("prefill", "decode"):
                values = [s[figure] for s in samples[name, model]]
                row[f"{name} {figure} tokens/s"] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
        mine = samples["hearth", model]
        row["read_limit_bytes_per_s"] = statistics.median(s["limits"]["read_bytes_per_s"] for s in mine)
        row["flops_limit_per_s"] = statistics.median(s["limits"]["flops_per_s"] for s in mine)
        row["decode_share_of_read_limit"] = statistics.median(s["decode_bytes_per_s"] for s in mine) / row["read_limit_bytes_per_s"]
        row["prefill_share_of_flops_limit"] = statistics.median(s["prefill_flops_per_s"] for s in mine) / row["flops_limit_per_s"]
        report.append(row)
    if args.json:
        print(json.dumps(report, indent=1))
        return
    for row in report:
        print(f"{row['model']}: reads at most {row['read_limit_bytes_per_s'] / 1e9:.1f} GB/s, computes at most {row['flops_limit_per_s'] / 1e9:.0f} GFLOP/s (fp32)")
        for figure in ("prefill", "decode"):
            line = [f"{name} {row[f'{name} {figure} tokens/s']['median']:.2f}" for name in engines]
            if len(engines) == 2:
                line.append(f"ratio {row[f'hearth {figure} tokens/s']['median'] / row[f'llama.cpp {figure} tokens/s']['median']:.2f}")
            print(f"  {figure:8} {', '.join(line)} tokens/s")
        print(f"  ours: decode {row['decode_share_of_read_limit']:.0%} of the read limit, prefill {row['prefill_share_of_flops_limit']:.0%} of the fp32 limit")


if __name__ == "__main__":
    main()
