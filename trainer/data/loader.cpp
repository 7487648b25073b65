// See loader.h.
#include "trainer/data/loader.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "trainer/random.h"

namespace hearth::train {

// Whole documents go into the fullest of this many open rows that has room: near-perfect filling at constant cost.
constexpr size_t kOpenRows = 64;

Loader::Loader(std::shared_ptr<const std::vector<Document>> documents, const LoaderOptions& options)
    : documents_(std::move(documents)), options_(options) {}

void Loader::restore(const LoaderState& state) {
  state_ = state;
}

int64_t Loader::n_rows() {
  lay_out();
  return static_cast<int64_t>(rows_.size());
}

void Loader::lay_out() {
  if (laid_out_epoch_ == state_.epoch) return;
  laid_out_epoch_ = state_.epoch;
  rows_.clear();
  std::vector<uint32_t> order(documents_->size());
  std::iota(order.begin(), order.end(), 0u);
  if (options_.shuffle) {
    Random random(mix64(options_.seed) + static_cast<uint64_t>(state_.epoch));
    shuffle(std::span(order), random);
  }
  const bool may_split = !documents_->empty() && std::all_of(documents_->begin(), documents_->end(),
                                                             [](const Document& d) { return d.may_split; });
  if (options_.pack && may_split)
    pack_splitting(order);
  else
    pack_whole(order);
}

// Text: rows are filled to the brim, a document goes on in the next row.
void Loader::pack_splitting(std::span<const uint32_t> order) {
  int32_t room = 0;
  for (uint32_t d : order) {
    const auto n = static_cast<int32_t>((*documents_)[d].ids.size()) - 1;
    for (int32_t begin = 0; begin < n;) {
      if (room == 0) rows_.emplace_back(), room = options_.max_seq_len;
      const int32_t take = std::min(room, n - begin);
      rows_.back().push_back({d, begin, begin + take});
      begin += take;
      room -= take;
    }
  }
}

// Conversations: whole (fit_into_row() saw to it), best fit among the open rows. Texts among them may be cut.
void Loader::pack_whole(std::span<const uint32_t> order) {
  struct Open {
    size_t row;
    int32_t room;
  };
  std::vector<Open> open;
  const auto place = [&](Slice slice) {
    const int32_t n = slice.end - slice.begin;
    auto best = open.end();
    if (options_.pack)
      for (auto it = open.begin(); it != open.end(); ++it)
        if (it->room >= n && (best == open.end() || it->room < best->room)) best = it;
    if (best == open.end()) {
      if (open.size() == kOpenRows)
        open.erase(
            std::min_element(open.begin(), open.end(), [](const Open& a, const Open& b) { return a.room < b.room; }));
      rows_.emplace_back();
      open.push_back({rows_.size() - 1, options_.max_seq_len});
      best = open.end() - 1;
    }
    rows_[best->row].push_back(slice);
    best->room -= n;
    if (best->room == 0) open.erase(best);
  };
  for (uint32_t d : order) {
    const Document& document = (*documents_)[d];
    const auto n = static_cast<int32_t>(document.ids.size()) - 1;
    CHECK(document.may_split || n <= options_.max_seq_len);
    for (int32_t begin = 0; begin < n; begin += options_.max_seq_len) {
      const Slice slice{d, begin, std::min(n, begin + options_.max_seq_len)};
      const auto learned = document.learned.begin() + 1;  // of the targets
      if (std::any_of(learned + slice.begin, learned + slice.end, [](uint8_t flag) { return flag != 0; })) place(slice);
    }
  }
}

// All padding: a token that sees only itself and learns nothing.
void Loader::clear(int n_rows, Batch& out) const {
  const size_t n = static_cast<size_t>(n_rows) * static_cast<size_t>(options_.max_seq_len);
  out.tokens.assign(n, 0);
  out.positions.assign(n, 0);
  out.targets.assign(n, -1);
  out.segment_begin.resize(n);
  std::iota(out.segment_begin.begin(), out.segment_begin.end(), 0);
  out.n_learned = out.n_tokens = 0;
}

void Loader::fill(const Row& row, int index, Batch& out) const {
  size_t at = static_cast<size_t>(index) * static_cast<size_t>(options_.max_seq_len);
  for (const Slice& slice : row) {
    const Document& d = (*documents_)[slice.document];
    const auto first = static_cast<int32_t>(at);
    for (int32_t i = slice.begin; i < slice.end; ++i, ++at) {
      const auto next = static_cast<size_t>(i) + 1;
      out.tokens[at] = d.ids[static_cast<size_t>(i)];
      out.positions[at] = i - slice.begin;
      out.segment_begin[at] = first;
      if (d.learned[next]) out.targets[at] = d.ids[next], ++out.n_learned;
    }
    out.n_tokens += slice.end - slice.begin;
  }
}

void Loader::next(int n_rows, Batch& out) {
  clear(n_rows, out);
  for (int i = 0; i < n_rows; ++i) {
    lay_out();
    CHECK(!rows_.empty());
    if (state_.row >= static_cast<int64_t>(rows_.size())) {
      state_ = {state_.epoch + 1, 0};
      lay_out();
    }
    fill(rows_[static_cast<size_t>(state_.row++)], i, out);
  }
}

void Loader::rows_at(int64_t begin, int64_t end, int n_rows, Batch& out) {
  lay_out();
  clear(n_rows, out);
  end = std::min({end, begin + n_rows, static_cast<int64_t>(rows_.size())});
  for (int64_t row = begin; row < end; ++row) fill(rows_[static_cast<size_t>(row)], static_cast<int>(row - begin), out);
}

}  // namespace hearth::train
