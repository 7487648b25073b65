"""Weights for bf16 cases with experts: no router is so near to a draw that bf16 rounding changes whom it chooses. For
make_golden.py.

A decision is a top-k of fewer than all. `gap`: by how much the last one chosen leads the first one not chosen, in fp32;
`drift`: how far a bf16 run moves the scores. Scores that sum to one are compared as logarithms, as noise moves them."""
import contextlib

import torch

ROUTERS = ("mlp.gate.weight", "router.weight", "router.proj.weight")  # ends of their names
N_DRAWS = 150      # of each router: the one whose decisions are the clearest stays
LEAST_LEAD = 2.0   # of the smallest gap over the largest drift
MOST_NOISE = 0.016  # of the library's bf16 logits over the largest logit: the test allows 0.02


@contextlib.contextmanager
def recorded():
    """The scores (fp32) and k of every top-k in this block that leaves something out."""
    calls, plain, method = [], torch.topk, torch.Tensor.topk

    def note(scores, k):
        if k < scores.shape[-1]:
            calls.append((scores.detach().float(), k))

    def function(scores, k, *args, **kwargs):
        note(scores, k)
        return plain(scores, k, *args, **kwargs)

    def bound(self, k, *args, **kwargs):
        note(self, k)
        return method(self, k, *args, **kwargs)
    torch.topk, torch.Tensor.topk = function, bound
    try:
        yield calls
    finally:
        torch.topk, torch.Tensor.topk = plain, method


def decisions(outputs, model, prompts):
    with recorded() as calls, torch.no_grad():
        logits = [outputs(model, ids).float() for ids in prompts]
    return calls, logits


def comparable(scores):
    whole = torch.allclose(scores.sum(-1), torch.ones(scores.shape[:-1]), atol=2e-2)
    return torch.log(scores.clamp_min(1e-30)) if whole else scores


def gaps(calls):
    for scores, k in calls:
        ordered = comparable(scores).sort(-1, descending=True).values
        yield ordered[..., k - 1] - ordered[..., k]


def smallest_gap(calls):
    return min(gap.min().item() for gap in gaps(calls))


def compare(outputs, wide, narrow, prompts):
    """dict(gap, drift, noise, largest), or None where the two runs choose differently."""
    exact, exact_logits = decisions(outputs, wide, prompts)
    rounded, rounded_logits = decisions(outputs, narrow, prompts)
    drift = 0.0
    for (a, k), (b, _) in zip(exact, rounded):
        chosen = lambda scores: scores.sort(-1, descending=True).indices[..., :k].sort(-1).values
        if not torch.equal(chosen(a), chosen(b)):
            return None
        near = a.sort(-1, descending=True).indices[..., k - 1:k + 1]  # the two that a change would swap
        drift = max(drift, (comparable(a).gather(-1, near) - comparable(b).gather(-1, near)).abs().max().item())
    noise = max((a - b).abs().max().item() for a, b in zip(exact_logits, rounded_logits))
    return dict(gap=smallest_gap(exact), drift=drift, noise=noise, largest=max(a.abs().max().item() for a in rounded_logits))


def is_steady(seen):
    return seen is not None and seen["gap"] >= LEAST_LEAD * seen["drift"] and seen["noise"] <= MOST_NOISE * seen["largest"]


def sharpen(model, outputs, prompts, seed):
    """Draws each router anew, first layers first, and keeps the draw whose decisions are the clearest."""
    generator = torch.Generator().manual_seed(seed)
    routers = [p for name, p in model.named_parameters() if name.endswith(ROUTERS)]
    for i, router in enumerate(routers):
        spread, best, kept = router.std().item(), -1.0, None
        for _ in range(N_DRAWS):
            with torch.no_grad():
                router.copy_((torch.randn(router.shape, generator=generator) * spread).to(torch.bfloat16))
            calls, _ = decisions(outputs, model, prompts)
            per_router = len(calls) // len(prompts) // len(routers)  # groups of experts are decided on, too
            seen = smallest_gap([call for n, call in enumerate(calls) if n // per_router % len(routers) == i])
            if seen > best:
                best, kept = seen, router.detach().clone()
        with torch.no_grad():
            router.copy_(kept)
