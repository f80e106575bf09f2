#!/usr/bin/env python3
"""Prints the fixed vectors of sampler_test.cc, fixed_math_test.cc, model_file_test.cc.

Written from the definitions in the headers, with decimal arithmetic of 100 digits.
"""
import hashlib
import struct
from decimal import Decimal, getcontext, ROUND_FLOOR

getcontext().prec = 100
TWO32, TWO64 = Decimal(2) ** 32, Decimal(2) ** 64


def gumbel(uniform):
    exact = -(-(Decimal(uniform) / TWO64).ln()).ln()
    return int((exact * TWO32).to_integral_value(ROUND_FLOOR))


def noise(seed, position, token):
    counter = struct.pack("<II", position, token)
    digest = hashlib.sha256(b"cloister gumbel v1\0" + seed + counter).digest()
    return gumbel(struct.unpack("<Q", digest[:8])[0])


def splitmix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        yield z ^ z >> 31


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def choose(logits, temperature, top_k, top_p, min_p, seed, position):
    order = sorted(range(len(logits)), key=lambda t: (-logits[t], t))[: top_k or 1024]
    weight = {t: (Decimal(logits[t]) - Decimal(logits[order[0]])).exp() for t in order}
    total, share, kept = sum(weight.values()), Decimal(0), []
    for t in order:
        kept.append(t)
        share += weight[t] / total
        if share >= Decimal(top_p) / 10**6:
            break
    kept = [t for t in kept if weight[t] >= Decimal(min_p) / 10**6]

    def score(t):
        scaled = Decimal(logits[t]) * 10**6 / temperature
        return scaled + Decimal(noise(seed, position, t)) / TWO32

    return max(kept, key=score)


def merkle(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + merkle(leaves[:split]) + merkle(leaves[split:])).digest()


def small_model_root():
    text = lambda t: struct.pack("<Q", len(t)) + t
    key = lambda name, kind, value: text(name) + struct.pack("<I", kind) + value
    keys = [
        key(b"general.architecture", 8, text(b"llama")),
        key(b"general.name", 8, text(b"tiny")),
        key(b"general.license", 8, text(b"apache-2.0")),
        key(b"general.file_type", 4, struct.pack("<I", 3)),
        key(b"llama.context_length", 4, struct.pack("<I", 64)),
        key(b"tokenizer.chat_template", 8, text(b"{{ messages }}")),
        key(b"tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"bc")),
        key(b"tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 2) + bytes(8)),
        key(b"tokenizer.ggml.add_bos_token", 7, b"\1"),
    ]
    sha = lambda data: hashlib.sha256(data).digest()
    leaves = [b"cloister model metadata v1\0" + struct.pack("<Q", len(keys)) + sha(b"".join(keys))]
    tensors = [
        (b"norm.weight", [3], 0, b"\x11" * 12),
        (b"out.weight", [32, 2], 3, b"\x22" * 40),
    ]
    for name, shape, kind, data in tensors:
        head = text(name) + struct.pack(f"<II{len(shape)}Q", kind, len(shape), *shape)
        leaves.append(b"cloister model tensor v1\0" + head + sha(data))
    return merkle(leaves).hex()


for u in [1, 2**32, 2**63, 0x0123456789ABCDEF, 0xFEDCBA9876543210, 2**64 - 2**20]:
    print(f"gumbel {u:#x} {gumbel(u)}")
print("noise", noise(bytes([1]) + bytes(31), 2, 3))
draws = splitmix(42)
logits = [float32((next(draws) % 20000 - 10000) / 1000) for _ in range(5000)]
cases = [
    (1000000, 0, 1000000, 0),
    (700000, 40, 950000, 50000),
    (2000000, 1024, 1000000, 0),
    (1300000, 0, 400000, 0),
]
for case in cases:
    print(case, [choose(logits, *case, bytes([9]) + bytes(31), p) for p in range(6)])
print("small model root", small_model_root())
