// Terms of losses that are made of each token's log-probability: preferences, divergences, policy gradients. The terms
// of one loss read the same log-probabilities, and no [T, V] buffer exists.
//
//   const LossTerm terms[] = {preference(8), {kl_to_reference().build, 0.1f}};
//   Graph graph = TRY(loss(forward, terms));
//
// What sequences, pairs and references are is the caller's: it fills weights, by token and by sum.
#pragma once

#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"

namespace hearth {

// f32[T]: the log-probability of the input targets i32[T] at each token, 0 where it is -1. The same value however often
// it is asked for. unimplemented where the logits are more than a product (Logits::x is null).
Value token_logprobs(Builder& b, const Logits& logits);

// Direct preference optimisation and its like (Rafailov et al. 2023): -Σ_i pair_weights[i] · log σ(z[i]) of n sums
//   z[i] = Σ_t pair_sums[i, t] · logprob[t] - pair_margins[i]
// Inputs pair_sums f32[n, T]: beta at the tokens of the chosen answer, -beta at those of the rejected one; pair_margins
// f32[n]: the same sums of the reference's log-probabilities; pair_weights f32[n].
LossTerm preference(int n_pairs);

// Of answers that are only good or bad (KTO, Ethayarajh et al. 2024): Σ_i answer_weights[i] · (1 - σ(z[i])), z as above
// from answer_sums f32[n, T] (beta, or -beta of a bad one), answer_margins f32[n] and answer_weights f32[n].
LossTerm desirability(int n_answers);

// Σ_t kl_weights[t] · (e^d - 1 - d), d = reference_logprobs[t] - logprob[t]: never negative, and on tokens that the
// model wrote itself its mean is the divergence from the reference. Inputs f32[T].
LossTerm kl_to_reference();

// -Σ_t advantages[t] · (e^(logprob[t] - old_logprobs[t]) - 1): the policy gradient, weighted by how much likelier a
// token became since it was written; 0 as long as nothing changed. Inputs f32[T].
LossTerm policy_gradient();

// The same clipped (PPO, Schulman et al. 2017): -Σ_t min(advantages[t] · c, advantages[t] · clip(c, -clip, clip)),
// c = e^(logprob[t] - old_logprobs[t]) - 1, so a token that is `clip` likelier, or less likely, than when it was
// written learns no more of that. clip: more than 0, less than 1.
LossTerm clipped_policy_gradient(float clip);

}  // namespace hearth
