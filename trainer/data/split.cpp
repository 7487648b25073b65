// See split.h.
#include "trainer/data/split.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "trainer/random.h"

namespace hearth::train {

uint64_t split_place(uint64_t group, uint64_t seed) {
  return mix64(group ^ mix64(seed));
}

std::unordered_set<uint64_t> choose_held_out(std::vector<ExampleGroup> groups, double fraction, uint64_t seed) {
  std::unordered_set<uint64_t> out;
  if (fraction <= 0 || groups.size() < 2) return out;
  std::sort(groups.begin(), groups.end(),
            [&](const auto& a, const auto& b) { return split_place(a.hash, seed) < split_place(b.hash, seed); });
  int64_t n_rows = 0, n_tokens = 0;
  for (const ExampleGroup& g : groups) n_rows += g.n_rows, n_tokens += g.n_answer_tokens;
  constexpr double kRounding = 1 + 1e-12;
  const double most_rows = kRounding * fraction * static_cast<double>(n_rows);
  const double most_tokens = kRounding * fraction * static_cast<double>(n_tokens);
  const auto n_wanted = std::clamp<size_t>(
      static_cast<size_t>(std::llround(fraction * static_cast<double>(groups.size()))), 1, groups.size() - 1);
  int64_t rows = 0, tokens = 0;
  for (const ExampleGroup& g : groups) {
    if (out.size() == n_wanted) return out;
    if (static_cast<double>(rows + g.n_rows) > most_rows ||
        static_cast<double>(tokens + g.n_answer_tokens) > most_tokens)
      continue;
    out.insert(g.hash);
    rows += g.n_rows, tokens += g.n_answer_tokens;
  }
  if (!out.empty() || most_rows >= 1) return out;
  // Less than one row was asked for: one row, of no more than average length.
  for (const ExampleGroup& g : groups)
    if (g.n_rows == 1 && g.n_answer_tokens * static_cast<int64_t>(groups.size()) <= n_tokens) return {g.hash};
  return out;
}

Split split_examples(std::vector<Example> examples, double fraction, uint64_t seed) {
  std::unordered_map<uint64_t, ExampleGroup> groups;
  std::vector<uint64_t> hashes;
  for (const Example& e : examples) {
    const uint64_t hash = content_hash(e, 0);
    hashes.push_back(hash);
    ExampleGroup& group = groups[hash];
    group.hash = hash;
    ++group.n_rows;
    group.n_answer_tokens += static_cast<int64_t>(e.text.size());
    for (const ChatTurn& turn : e.messages)
      if (turn.role == "assistant" && turn.is_learned)
        group.n_answer_tokens += static_cast<int64_t>(turn.content.size());
  }
  std::vector<ExampleGroup> list;
  for (const auto& [hash, group] : groups) list.push_back(group);
  const auto held = choose_held_out(std::move(list), fraction, seed);
  Split out;
  for (size_t i = 0; i < examples.size(); ++i)
    (held.contains(hashes[i]) ? out.held_out : out.train).push_back(std::move(examples[i]));
  return out;
}

}  // namespace hearth::train
