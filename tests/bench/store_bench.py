#!/usr/bin/env python3
"""Import, verify and export of a large checkpoint with random weights: speed beside the disk's own, peak memory, and an
import that is killed half-way and goes on.

    ./dev bench store_bench -- --hearth PATH [--gb 20] [--folder DIR] [--json]

Needs about twice the checkpoint's size in DIR. Everything it made there is removed at the end. Pages of the files are
dropped from the cache before each step; memory is the process's peak resident set, mapped files included.
"""
import argparse
import json
import mmap
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
PIECE = 16 * MIB
SIZES = dict(hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8, vocab_size=128256)


def tensors(n_layers):
    c, f, v, kv = SIZES["hidden_size"], SIZES["intermediate_size"], SIZES["vocab_size"], 1024
    yield "model.embed_tokens.weight", (v, c)
    for layer in range(n_layers):
        name = f"model.layers.{layer}."
        for linear, shape in (("self_attn.q_proj", (c, c)), ("self_attn.k_proj", (kv, c)), ("self_attn.v_proj", (kv, c)),
                              ("self_attn.o_proj", (c, c)), ("mlp.gate_proj", (f, c)), ("mlp.up_proj", (f, c)),
                              ("mlp.down_proj", (c, f)), ("input_layernorm", (c,)), ("post_attention_layernorm", (c,))):
            yield f"{name}{linear}.weight", shape
    yield "model.norm.weight", (c,)
    yield "lm_head.weight", (v, c)


def n_bytes(shape):
    size = 2
    for dim in shape:
        size *= dim
    return size


def random_halves():
    """bf16 numbers around 0.02: sign and mantissa random, the exponent fixed."""
    rng = random.Random(1)
    data = bytearray(rng.randbytes(PIECE))
    for i in range(1, PIECE, 2):
        data[i] = (data[i] & 0x80) | 0x3c
    return bytes(data)


def make_checkpoint(folder, total_bytes):
    per_layer = sum(n_bytes(shape) for name, shape in tensors(1) if ".layers." in name)
    outer = sum(n_bytes(shape) for name, shape in tensors(0))
    n_layers = max(1, (total_bytes - outer) // per_layer)
    shards, weight_map = [[]], {}
    for name, shape in tensors(n_layers):
        if sum(n_bytes(s) for _, s in shards[-1]) + n_bytes(shape) > 4 << 30:
            shards.append([])
        shards[-1].append((name, shape))
    noise, made = random_halves(), 0
    for i, shard in enumerate(shards):
        file_name, header, at = f"model-{i + 1:05}-of-{len(shards):05}.safetensors", {}, 0
        for name, shape in shard:
            header[name] = dict(dtype="BF16", shape=shape, data_offsets=[at, at + n_bytes(shape)])
            weight_map[name] = file_name
            at += n_bytes(shape)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / file_name, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            left = at
            while left:
                shift = 2 * random.randrange(PIECE // 4)
                piece = (noise[shift:] + noise[:shift])[:left]
                out.write(piece)
                left -= len(piece)
            out.flush()
            os.fsync(out.fileno())
        made += 8 + len(text) + at
    config = dict(SIZES, architectures=["LlamaForCausalLM"], model_type="llama", num_hidden_layers=n_layers, head_dim=128,
                  max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False,
                  torch_dtype="bfloat16", hidden_act="silu", bos_token_id=1, eos_token_id=2)
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = dict(version="1.0", model=dict(type="BPE", vocab=dict(a=0, b=1), merges=[]))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    index = dict(metadata=dict(total_size=made), weight_map=weight_map)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return made


def disk_speed(folder, size=2 << 30):
    """Sequential, past the cache, in MB/s: (write, read)."""
    path, buffer = folder / "disk_speed", mmap.mmap(-1, PIECE)
    buffer.write(os.urandom(PIECE))
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
    begin = time.perf_counter()
    for _ in range(size // PIECE):
        os.write(out, buffer)
    os.fsync(out)
    write = time.perf_counter() - begin
    os.close(out)
    source = os.open(path, os.O_RDONLY | os.O_DIRECT)
    begin = time.perf_counter()
    while os.readv(source, [buffer]):
        pass
    read = time.perf_counter() - begin
    os.close(source)
    path.unlink()
    return size / 1e6 / write, size / 1e6 / read


def drop_cache(folder):
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


class Run:
    """One command, with its peak memory and the progress events that it printed."""

    def __init__(self, command, kill_at=None):
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.events, self.was_killed, rest = 0, False, []
        for line in process.stderr:
            if not line.startswith('{"event"') and '"progress"' not in line:
                rest.append(line)
                continue
            self.events += 1
            if kill_at and json.loads(line)["progress"] >= kill_at:
                process.send_signal(signal.SIGKILL)
                self.was_killed = True
                break
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        self.seconds, self.peak_mib = time.perf_counter() - begin, usage.ru_maxrss / 1024
        if status != 0 and not self.was_killed:
            sys.exit(f"{' '.join(map(str, command))} failed: {''.join(rest)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hearth", type=pathlib.Path, required=True)
    parser.add_argument("--gb", type=float, default=20)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="store_bench", dir=args.folder))
    try:
        results = measure(args, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if args.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{results['gb']:.1f} GB; the disk writes {results['disk_write_mb_s']:.0f} MB/s, reads {results['disk_read_mb_s']:.0f} MB/s, "
          f"copies at {results['disk_copy_mb_s']:.0f} MB/s")
    for step in results["steps"]:
        print(f"{step['step']:<22} {step['seconds']:7.1f} s {step['mb_s']:7.0f} MB/s {100 * step['of_disk']:5.0f} % of the disk"
              f" {step['peak_mib']:6.0f} MiB {step['events']:4} events")


def measure(args, work):
    source, state, out = work / "model", work / "state", work / "out"
    source.mkdir()
    write, read = disk_speed(work)
    copy = 1 / (1 / write + 1 / read)
    size = make_checkpoint(source, int(args.gb * 1e9))
    hearth = [args.hearth, "--state-dir", state, "--json"]
    steps = []

    def step(name, command, speed):
        drop_cache(work)
        run = Run(hearth + command)
        rate = size / 1e6 / run.seconds
        steps.append(dict(step=name, seconds=run.seconds, mb_s=rate, of_disk=rate / speed, peak_mib=run.peak_mib, events=run.events))
        print(f"{name}: {run.seconds:.1f} s", file=sys.stderr)
        return run

    step("import", ["import", source, "--name", "m"], copy)
    step("verify", ["verify", "m"], read)
    subprocess.run(hearth + ["rm", "m"], check=True, stdout=subprocess.DEVNULL)
    drop_cache(work)
    Run(hearth + ["import", source, "--name", "m"], kill_at=0.5)
    step("import after SIGKILL", ["import", source, "--name", "m"], copy)
    step("verify again", ["verify", "m"], read)
    shutil.rmtree(source)
    step("export", ["export", "m", "--to", out, "--dtype", "keep"], copy)
    return dict(gb=size / 1e9, disk_write_mb_s=write, disk_read_mb_s=read, disk_copy_mb_s=copy, steps=steps)


if __name__ == "__main__":
    main()
