// Rows: everything learned once an epoch, documents apart, order reproducible.
#include "trainer/data/loader.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace hearth::train::loader_test {
namespace {

// Document d has ids 1000 d + 0, 1, 2, ...
std::shared_ptr<std::vector<Document>> documents(const std::vector<int>& lengths, bool may_split) {
  auto out = std::make_shared<std::vector<Document>>();
  for (size_t d = 0; d < lengths.size(); ++d) {
    Document doc;
    for (int i = 0; i < lengths[d]; ++i) {
      doc.ids.push_back(static_cast<int32_t>(1000 * d) + i);
      doc.learned.push_back(may_split || i % 3 != 1);
    }
    doc.may_split = may_split;
    out->push_back(std::move(doc));
  }
  return out;
}

void expect_well_formed(const Batch& b) {
  for (size_t t = 0; t < b.tokens.size(); ++t) {
    const auto begin = static_cast<size_t>(b.segment_begin[t]);
    ASSERT_LE(begin, t);
    ASSERT_EQ(b.positions[t], static_cast<int32_t>(t - begin));
    ASSERT_EQ(b.tokens[t], b.tokens[begin] + b.positions[t]);  // one document, without gaps
    if (b.targets[t] != -1) {
      ASSERT_EQ(b.targets[t], b.tokens[t] + 1);
    }
  }
}

std::map<int32_t, int> targets_of_epoch(Loader& loader) {
  std::map<int32_t, int> seen;
  Batch b;
  for (int64_t i = 0, n = loader.n_rows(); i < n; ++i) {
    loader.next(1, b);
    expect_well_formed(b);
    for (int32_t target : b.targets)
      if (target != -1) ++seen[target];
  }
  return seen;
}

TEST(Loader, EveryLearnedTokenOnceAnEpoch) {
  for (bool may_split : {false, true})
    for (bool pack : {false, true}) {
      const std::vector<int> lengths = {5, may_split ? 40 : 14, 2, 17, 16, may_split ? 33 : 12, 9, 3};
      auto docs = documents(lengths, may_split);
      Loader loader(docs, {.max_seq_len = 16, .pack = pack});
      const auto seen = targets_of_epoch(loader);
      size_t expected = 0;
      for (const Document& d : *docs) expected += std::count(d.learned.begin() + 1, d.learned.end(), 1);
      EXPECT_EQ(seen.size(), expected);
      for (const auto& [id, n] : seen) EXPECT_EQ(n, 1) << id;
    }
}

TEST(Loader, TextFillsRowsAndPackingSavesRows) {
  const std::vector<int> lengths(100, 11);  // 10 positions each
  Loader text(documents(lengths, true), {.max_seq_len = 16});
  EXPECT_EQ(text.n_rows(), 63);  // 1000 / 16, rounded up
  Loader packed(documents(lengths, false), {.max_seq_len = 30});
  EXPECT_EQ(packed.n_rows(), 34);
  Loader unpacked(documents(lengths, false), {.max_seq_len = 30, .pack = false});
  EXPECT_EQ(unpacked.n_rows(), 100);
}

TEST(Loader, ConversationsBeginWhereTheyBegin) {
  Loader loader(documents({5, 17, 9, 12, 3, 17, 8}, false), {.max_seq_len = 16});
  Batch b;
  for (int64_t i = 0, n = loader.n_rows(); i < n; ++i) {
    loader.next(1, b);
    for (size_t t = 0; t < b.tokens.size(); ++t)
      EXPECT_TRUE(b.positions[t] != 0 || b.tokens[t] % 1000 == 0) << "a row begins within a conversation";
  }
  Loader overlong(documents({18}, false), {.max_seq_len = 16});
  EXPECT_DEATH(overlong.n_rows(), "");
}

TEST(Loader, OrderFollowsSeedAndEpoch) {
  const std::vector<int> lengths(50, 9);
  const auto first_rows = [&](uint64_t seed, int64_t epoch) {
    Loader loader(documents(lengths, false), {.max_seq_len = 16, .seed = seed});
    loader.restore({epoch, 0});
    Batch b;
    loader.next(4, b);
    return b.tokens;
  };
  EXPECT_EQ(first_rows(1, 0), first_rows(1, 0));
  EXPECT_NE(first_rows(1, 0), first_rows(1, 1));
  EXPECT_NE(first_rows(1, 0), first_rows(2, 0));
}

TEST(Loader, ResumesExactlyAnywhere) {
  const std::vector<int> lengths = {5, 40, 2, 17, 16, 33, 9, 3};
  Loader whole(documents(lengths, true), {.max_seq_len = 16});
  Batch expected, resumed;
  for (int step = 0; step < 20; ++step) {
    const LoaderState state = whole.state();
    whole.next(3, expected);
    Loader again(documents(lengths, true), {.max_seq_len = 16});
    again.restore(state);
    again.next(3, resumed);
    ASSERT_EQ(resumed.tokens, expected.tokens);
    ASSERT_EQ(resumed.targets, expected.targets);
    ASSERT_EQ(again.state(), whole.state());
  }
  EXPECT_GT(whole.state().epoch, 3);
}

TEST(Loader, RowsBehindTheEndArePadding) {
  Loader loader(documents({5}, true), {.max_seq_len = 8});
  Batch b;
  loader.rows_at(0, 9, 2, b);
  EXPECT_EQ(b.n_learned, 4);
  EXPECT_EQ(b.n_tokens, 4);
  EXPECT_EQ(b.targets[4], -1);
  EXPECT_EQ(b.segment_begin[9], 9);
}

}  // namespace
}  // namespace hearth::train::loader_test
