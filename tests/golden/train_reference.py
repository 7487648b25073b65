#!/usr/bin/env python3
"""The PyTorch twin of our training loop: same initial weights, same rows in the same order, one JSON line a step.

    train_reference.py --model DIR --tokens FILE [--token-dtype uint16|uint32] [--order FILE] --rows 8 --max-seq-len 256 \
        --steps 200 --learning-rate 1e-3 --warmup-steps 20 --min-lr-ratio 0.1 [--weight-decay 0.1] [--grad-clip 1.0] [--threads 2]
    train_reference.py --model DIR --batches DIR --rows 8 --max-seq-len 256 --steps 200 ...

The options carry the names of a recipe's keys. DIR of --model is a Hugging Face folder (config.json and safetensors) of the
Llama family without RoPE scaling; everything is computed in fp32.

--tokens: ids, little-endian, one after another. Row r is tokens[r*L : r*L + L + 1]: L inputs and the L tokens that follow each.
   --order: a text file with one row number a line; step s takes the next `rows` of them. Without it: 0, 1, 2, ...
--batches: what a trainer saw, as it saw it: tokens.i32, positions.i32, segment_begin.i32, targets.i32, each [steps, rows*L] int32.
   Token t attends to segment_begin[t]..t, counted over the flat rows*L; a target of -1 is not learned.

Loss: mean over the learned tokens of a step. AdamW: betas 0.9 / 0.95, eps 1e-8, decay on matrices and embeddings only. Learning rate at step
s of n (from 1), w warm-up steps: peak * s / w up to w, then peak * (m + (1 - m) * (1 + cos(pi * (s - w) / (n - w))) / 2).
"""
import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file


class Llama(torch.nn.Module):
    """Parameters keep their Hugging Face names, so that loading and comparing are loops over names."""

    def __init__(self, folder):
        super().__init__()
        self.config = config = json.loads((folder / "config.json").read_text())
        weights = {}
        for path in sorted(folder.glob("*.safetensors")):
            weights |= load_file(path)
        self.weights = torch.nn.ParameterDict({name.replace(".", "/"): torch.nn.Parameter(tensor.float()) for name, tensor in weights.items()})
        self.n_layers, self.n_heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.n_kv_heads = config.get("num_key_value_heads") or self.n_heads
        self.head_dim = config.get("head_dim") or config["hidden_size"] // self.n_heads
        rope = config.get("rope_parameters") or {}
        scaling = config.get("rope_scaling") or (rope if rope.get("rope_type", "default") != "default" else None)
        if scaling:
            raise SystemExit(f"{folder}: RoPE scaling {scaling} is not part of this reference")
        theta = rope.get("rope_theta") or config.get("rope_theta", 10000.0)
        self.register_buffer("inv_freq", 1.0 / theta ** (torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim))

    def w(self, name):
        return self.weights[(name + ".weight").replace(".", "/")]

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"]) * self.w(name)

    def rotate(self, x, positions):
        angles = positions.float()[:, None, :, None] * self.inv_freq
        cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin

    def attention(self, x, layer, positions, mask):
        rows, length, _ = x.shape
        split = lambda name, n: F.linear(x, self.w(f"{layer}.self_attn.{name}")).view(rows, length, n, self.head_dim).transpose(1, 2)
        q, k, v = split("q_proj", self.n_heads), split("k_proj", self.n_kv_heads), split("v_proj", self.n_kv_heads)
        q, k = self.rotate(q, positions), self.rotate(k, positions)
        group = self.n_heads // self.n_kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        scores = q @ k.transpose(-1, -2) / math.sqrt(self.head_dim) + mask
        out = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, -1)
        return F.linear(out, self.w(f"{layer}.self_attn.o_proj"))

    def forward(self, tokens, positions, mask):
        x = F.embedding(tokens, self.w("model.embed_tokens"))
        for i in range(self.n_layers):
            layer = f"model.layers.{i}"
            x = x + self.attention(self.norm(x, f"{layer}.input_layernorm"), layer, positions, mask)
            h = self.norm(x, f"{layer}.post_attention_layernorm")
            gated = F.silu(F.linear(h, self.w(f"{layer}.mlp.gate_proj"))) * F.linear(h, self.w(f"{layer}.mlp.up_proj"))
            x = x + F.linear(gated, self.w(f"{layer}.mlp.down_proj"))
        x = self.norm(x, "model.norm")
        head = "lm_head" if "lm_head/weight" in self.weights else "model.embed_tokens"
        return F.linear(x, self.w(head))


class TokenRows:
    """Rows of a token file in a given order."""

    def __init__(self, args):
        self.tokens = np.fromfile(args.tokens, dtype="<u2" if args.token_dtype == "uint16" else "<u4").astype(np.int64)
        self.rows, self.length = args.rows, args.max_seq_len
        n_rows = (len(self.tokens) - 1) // self.length
        self.order = [int(line) for line in open(args.order)] if args.order else list(range(n_rows))
        if len(self.order) < args.steps * args.rows or max(self.order) >= n_rows:
            raise SystemExit(f"{args.tokens}: {args.steps} steps need {args.steps * args.rows} rows below {n_rows}; the order has {len(self.order)}")

    def batch(self, step):
        rows = self.order[step * self.rows:(step + 1) * self.rows]
        windows = torch.from_numpy(np.stack([self.tokens[r * self.length:r * self.length + self.length + 1] for r in rows]))
        positions = torch.arange(self.length).expand(self.rows, -1)
        mask = torch.full((self.length, self.length), float("-inf")).triu(1)
        return windows[:, :-1], windows[:, 1:], positions, mask


class DumpedBatches:
    """Batches as a trainer wrote them, with documents that see only themselves."""

    def __init__(self, args):
        shape = (-1, args.rows, args.max_seq_len)
        read = lambda name: torch.from_numpy(np.fromfile(args.batches / f"{name}.i32", dtype="<i4").astype(np.int64)).view(shape)
        self.tokens, self.positions, self.begin, self.targets = map(read, ("tokens", "positions", "segment_begin", "targets"))
        self.length = args.max_seq_len
        if len(self.tokens) < args.steps:
            raise SystemExit(f"{args.batches}: holds {len(self.tokens)} steps, {args.steps} were asked for")

    def batch(self, step):
        begin = self.begin[step] - torch.arange(self.begin.shape[1])[:, None] * self.length
        column = torch.arange(self.length)
        seen = (column <= column[:, None]) & (column >= begin[:, :, None])
        mask = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))[:, None]
        return self.tokens[step], self.targets[step], self.positions[step], mask


def learning_rate(step, args):
    if step <= args.warmup_steps:
        return args.learning_rate * step / args.warmup_steps
    part = (step - args.warmup_steps) / max(1, args.steps - args.warmup_steps)
    return args.learning_rate * (args.min_lr_ratio + (1 - args.min_lr_ratio) * (1 + math.cos(math.pi * part)) / 2)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tokens", type=pathlib.Path)
    source.add_argument("--batches", type=pathlib.Path)
    parser.add_argument("--token-dtype", choices=("uint16", "uint32"), default="uint16")
    parser.add_argument("--order", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--max-seq-len", type=int, default=256)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--warmup-steps", type=int, default=20)
    parser.add_argument("--min-lr-ratio", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--grad-clip", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", type=pathlib.Path, help="write the trained weights here (.safetensors)")
    return parser.parse_args()


def main():
    args = parse_args()
    torch.set_num_threads(args.threads)
    model = Llama(args.model)
    data = TokenRows(args) if args.tokens else DumpedBatches(args)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": args.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
                                  lr=args.learning_rate, betas=(0.9, 0.95), eps=1e-8)
    started, n_tokens = time.perf_counter(), 0
    for step in range(1, args.steps + 1):
        tokens, targets, positions, mask = data.batch(step - 1)
        rate = learning_rate(step, args)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = F.cross_entropy(model(tokens, positions, mask).flatten(0, 1), targets.flatten(), ignore_index=-1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        limit = args.grad_clip if args.grad_clip > 0 else float("inf")
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
        optimizer.step()
        n_tokens += tokens.numel()
        seconds = time.perf_counter() - started
        print(json.dumps({"step": step, "loss": loss.item(), "learning_rate": rate, "grad_norm": norm.item(),
                          "tokens_per_s": n_tokens / seconds, "seconds": seconds}), flush=True)
    if args.save:
        from safetensors.torch import save_file
        save_file({name.replace("/", "."): tensor.detach().contiguous() for name, tensor in model.weights.items()}, args.save)


if __name__ == "__main__":
    main()
