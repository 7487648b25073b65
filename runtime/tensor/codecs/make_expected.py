#!/usr/bin/env python3
"""Writes expected.txt beside this file: random blocks of every GGUF quantisation with a hash of the floats that
gguf-py makes of them, hashes of what it quantises, and the error that llama.cpp's own quantisers leave.

Needs: pip install gguf numpy; for the `error` lines, the path of a libggml-base.so as argument (kept as they are
without). The same versions give the same bytes.
"""
import ctypes
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

HERE = pathlib.Path(__file__).resolve().parent
N_BLOCKS = 6
TYPES = ("Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS "
         "IQ3_S TQ1_0 TQ2_0 MXFP4").split()
QUANTISED_THERE = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 TQ1_0 TQ2_0 MXFP4".split()  # gguf-py has a quantiser
QUANTISED_BY_FIT = "Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS".split()
# Where a block keeps its half-precision numbers: random bits there would make NaNs.
HALVES = {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2),
          "Q6_K": (208,), "TQ1_0": (52,), "TQ2_0": (64,), "MXFP4": (), "IQ1_M": ()}


def fnv1a(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:016x}"


def random_blocks(name, rng):
    size = gguf.GGML_QUANT_SIZES[Type[name]][1]
    blocks = rng.integers(0, 256, (N_BLOCKS, size), dtype=np.uint8)
    for block in blocks:
        for at in HALVES.get(name, (0,)):
            block[at:at + 2] = np.frombuffer(np.float16(rng.normal()).tobytes(), np.uint8)
        if name == "IQ1_M":  # the scale's four nibbles are spread
            bits = int(np.float16(abs(rng.normal())).view(np.uint16))
            for word in range(4):
                block[49 + word * 2] = (block[49 + word * 2] & 0x0f) | (bits >> (4 * word) & 15) << 4
        if name == "MXFP4":
            block[0] = rng.integers(0, 255)
    return blocks


def sample_floats(n):
    """Bell-shaped, the same bits in any language: sums of three numbers from a linear congruential generator."""
    state, out = 12345, np.zeros(n, np.float32)
    for i in range(n):
        total = np.float32(0)
        for _ in range(3):
            state = (state * 1664525 + 1013904223) & 0xffffffff
            total = np.float32(total + (np.float32(state >> 8) * np.float32(2 ** -23) - np.float32(1)))
        out[i] = total
    return out


def relative_error(x, y):
    return float(np.sqrt(((x - y).astype(np.float64) ** 2).sum() / (x.astype(np.float64) ** 2).sum()))


def fit_errors(x, library):
    ggml = ctypes.CDLL(library)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64,
                                         ctypes.c_int64, ctypes.c_void_p]
    for name in QUANTISED_BY_FIT:
        elements, size = gguf.GGML_QUANT_SIZES[Type[name]]
        out = np.zeros(len(x) // elements * size, np.uint8)
        ggml.ggml_quantize_chunk(int(Type[name]), x.ctypes.data, out.ctypes.data, 0, 1, len(x), None)
        back = gguf.dequantize(out.reshape(1, -1), Type[name]).ravel()
        yield f"error {name.lower()} {relative_error(x, back):.6f}"


def main():
    rng = np.random.default_rng(7)
    lines = []
    for name in TYPES:
        blocks = random_blocks(name, rng)
        floats = gguf.dequantize(blocks, Type[name])
        lines.append(f"dequantise {name.lower()} {blocks.tobytes().hex()} {fnv1a(floats.astype('<f4').tobytes())}")
    x = sample_floats(4096)
    for name in QUANTISED_THERE:
        lines.append(f"quantise {name.lower()} {fnv1a(gguf.quantize(x.reshape(1, -1), Type[name]).tobytes())}")
    target = HERE / "expected.txt"
    if len(sys.argv) > 1:
        lines += fit_errors(x, sys.argv[1])
    else:
        lines += [line for line in target.read_text().splitlines() if line.startswith("error ")]
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
