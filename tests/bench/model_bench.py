#!/usr/bin/env python3
"""Decode and prefill speed of GGUF models on every instruction set that this CPU has, ours beside llama.cpp's llama-bench, interleaved in one run, with the machine's limits.

usage: model_bench [--hearth build/dev/.../hearth] [--llama-bench [LEVEL=]PATH]... [--isa LEVEL]... [-p 512] [-n 64] [-r 5] [--threads T] [--json] MODEL.gguf ...

LEVEL is avx2 or avx512. A llama-bench is for one level: build it once for each (GGML_NATIVE=OFF and the GGML_AVX... options of that level); PATH alone is
for the best level. Each repeat runs every program once on every model and level, so that slow minutes hit all alike; medians are printed. Without
--llama-bench only ours is measured. Standard library only.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

FLAGS = {"avx512": {"avx512f", "avx512bw", "avx512vl"}, "avx2": {"avx2", "fma", "f16c"}}  # as in hwdetect/isa_limit.h


def levels_here():
    """Best first."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []
    flags = set(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))
    found = [level for level, needed in FLAGS.items() if needed | FLAGS["avx2"] <= flags]
    return found or ["portable"]


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def ours(args, level, model):
    out = run_json([args.hearth, "bench", model, "-p", args.p, "-n", args.n, "--isa", level, "--threads", args.threads, "--repeats", "1", "--json"])
    return {"prefill": out["prefill_tokens_per_s"], "decode": out["decode_tokens_per_s"], "limits": out["limits"],
            "decode_bytes_per_s": out["decode_bytes_per_s"], "prefill_flops_per_s": out["prefill_flops_per_s"]}


def theirs(args, level, model):
    rows = run_json([args.peers[level], "-m", model, "-p", args.p, "-n", args.n, "-t", args.threads, "-r", "1", "-o", "json"])
    return {"prefill": next(r["avg_ts"] for r in rows if r["n_prompt"] > 0), "decode": next(r["avg_ts"] for r in rows if r["n_gen"] > 0)}


def find_hearth():
    root = pathlib.Path(__file__).resolve().parents[2]
    found = [p for p in root.glob("build/*/appliance/**/hearth") if p.is_file()]
    return str(found[0]) if found else "hearth"


def peers_by_level(values, levels):
    out = {}
    for value in values:
        level, _, path = value.rpartition("=")
        level = level or levels[0]
        if level not in levels:
            sys.exit(f"--llama-bench {value}: the level must be one of those measured ({', '.join(levels)})")
        out[level] = path
    return out


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--hearth", default=find_hearth())
    parser.add_argument("--llama-bench", action="append", default=[])
    parser.add_argument("--isa", action="append", choices=[*FLAGS, "portable"])
    parser.add_argument("-p", default="512")
    parser.add_argument("-n", default="64")
    parser.add_argument("-r", type=int, default=5)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.levels = args.isa or levels_here()
    args.peers = peers_by_level(args.llama_bench, args.levels)
    return args


def measure_all(args):
    """{(model, level): {program: [sample of each repeat]}}"""
    samples = {(model, level): {} for model in args.models for level in args.levels}
    for repeat in range(args.r):
        for (model, level), programs in samples.items():
            for name, measure in ({"hearth": ours} | ({"llama.cpp": theirs} if level in args.peers else {})).items():
                programs.setdefault(name, []).append(measure(args, level, model))
                print(f"repeat {repeat + 1}/{args.r}: {pathlib.Path(model).name} {level} {name}", file=sys.stderr)
    return samples


def summary(model, level, programs):
    row = {"model": pathlib.Path(model).name, "isa": level}
    for name, samples in programs.items():
        for figure in ("prefill", "decode"):
            values = [s[figure] for s in samples]
            row[f"{name} {figure} tokens/s"] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    mine = programs["hearth"]
    row["read_limit_bytes_per_s"] = statistics.median(s["limits"]["read_bytes_per_s"] for s in mine)
    row["flops_limit_per_s"] = statistics.median(s["limits"]["flops_per_s"] for s in mine)
    row["decode_share_of_read_limit"] = statistics.median(s["decode_bytes_per_s"] for s in mine) / row["read_limit_bytes_per_s"]
    row["prefill_share_of_flops_limit"] = statistics.median(s["prefill_flops_per_s"] for s in mine) / row["flops_limit_per_s"]
    return row


def show(row):
    print(f"{row['model']}, {row['isa']}: reads at most {row['read_limit_bytes_per_s'] / 1e9:.1f} GB/s, "
          f"computes at most {row['flops_limit_per_s'] / 1e9:.0f} GFLOP/s (fp32)")
    for figure in ("prefill", "decode"):
        speeds = {name: row[key]["median"] for name in ("hearth", "llama.cpp") if (key := f"{name} {figure} tokens/s") in row}
        line = [f"{name} {speed:.2f}" for name, speed in speeds.items()]
        if len(speeds) == 2:
            line.append(f"ratio {speeds['hearth'] / speeds['llama.cpp']:.2f}")
        print(f"  {figure:8} {', '.join(line)} tokens/s")
    print(f"  ours: decode {row['decode_share_of_read_limit']:.0%} of the read limit, prefill {row['prefill_share_of_flops_limit']:.0%} of the fp32 limit")


def main():
    args = parse()
    report = [summary(model, level, programs) for (model, level), programs in measure_all(args).items()]
    if args.json:
        print(json.dumps(report, indent=1))
        return
    for row in report:
        show(row)


if __name__ == "__main__":
    main()
