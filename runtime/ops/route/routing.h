// How a router chooses experts and weighs them: attributes of route, and part of a model's configuration.
#pragma once

namespace hearth {

// score[e] = softmax or sigmoid of the router's logits. The n_chosen experts with the largest score[e] + bias[e] are
// chosen (ties: the lower index), in that order; where there are groups, only among the n_chosen_groups best groups of
// neighbouring experts. weight = score (without bias), divided by the sum of the chosen if `normalise`, times `scale`.
// Without bias, softmax keeps the order of the logits: they decide, so that scores too small for a float do not tie.
struct Routing {
  enum class Scoring { softmax, sigmoid };
  enum class GroupScore { largest, sum_of_two };  // of score + bias within the group
  Scoring scoring = Scoring::softmax;
  int n_chosen = 1;
  bool normalise = false;
  float scale = 1;
  int n_groups = 1, n_chosen_groups = 1;
  GroupScore group_score = GroupScore::largest;
  bool by_logits(bool has_bias) const {
    return scoring == Scoring::softmax && !has_bias && group_score == GroupScore::largest;
  }
  bool operator==(const Routing&) const = default;
};

inline constexpr int kMaxExperts = 1024;
inline constexpr int kMaxExpertGroups = 64;
inline constexpr float kRouteEpsilon = 1e-20f;  // beside the sum that normalises

}  // namespace hearth
