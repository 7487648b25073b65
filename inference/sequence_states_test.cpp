// SequenceStates, PageTree and KeptStates: whatever is begun, grown, kept and ended in whatever order, a slot's pages
// hold its own tokens, and no page is lost.
#include "inference/sequence_states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace hearth::sequence_states_test {
namespace {

using Tokens = std::vector<int32_t>;

// SequenceStates beside a memory: a token for each position of a page, and for each row all tokens that it was made of.
class Memory {
 public:
  explicit Memory(const SequenceStates::Sizes& sizes)
      : sizes_(sizes),
        states_(sizes),
        cells_(static_cast<size_t>(sizes.n_pages * sizes.page_size), -1),
        rows_(static_cast<size_t>(sizes.n_slots + sizes.n_kept_rows)),
        expected_(static_cast<size_t>(sizes.n_slots)) {}

  SequenceStates::Beginning begin(int slot, const Tokens& prompt) {
    const SequenceStates::Beginning beginning = states_.begin(slot, prompt);
    EXPECT_LE(beginning.n_reused, beginning.n_known);
    EXPECT_LE(beginning.n_known, static_cast<int>(prompt.size()));
    copy(beginning.copies);
    expected(slot) = Tokens(prompt.begin(), prompt.begin() + beginning.n_reused);
    return beginning;
  }
  // False: there were no pages.
  bool grow(int slot, const Tokens& tokens) {
    if (!states_.reserve(slot, states_.length(slot) + static_cast<int>(tokens.size()))) return false;
    for (const int32_t token : tokens) {
      const int at = states_.length(slot);
      cell(states_.pages(slot)[static_cast<size_t>(at / sizes_.page_size)], at % sizes_.page_size) = token;
      if (at == 0) row(slot).clear();  // ops start from zeros at position 0
      row(slot).push_back(token), expected(slot).push_back(token);
      states_.append(slot, token);
    }
    return true;
  }
  void keep(int slot) { copy(states_.keep(slot)); }
  void end(int slot) { states_.end(slot), expected(slot).clear(); }
  const Tokens& tokens(int slot) { return expected(slot); }
  SequenceStates& states() { return states_; }

  void check() {
    std::map<int, int> n_users;
    for (int slot = 0; slot < sizes_.n_slots; ++slot) {
      const std::span<const int> pages = states_.pages(slot);
      ASSERT_EQ(states_.length(slot), static_cast<int>(expected(slot).size()));
      ASSERT_GE(static_cast<int>(pages.size()) * sizes_.page_size, states_.length(slot));
      for (const int page : pages) {
        ASSERT_GE(page, 0);
        ASSERT_LT(page, sizes_.n_pages);
        ++n_users[page];
      }
      ASSERT_EQ(std::set<int>(pages.begin(), pages.end()).size(), pages.size()) << "a page twice in one sequence";
      for (int p = 0; p < states_.length(slot); ++p)
        ASSERT_EQ(cell(pages[static_cast<size_t>(p / sizes_.page_size)], p % sizes_.page_size),
                  expected(slot)[static_cast<size_t>(p)])
            << "position " << p << " of slot " << slot;
      if (sizes_.has_recurrences && !expected(slot).empty()) {
        ASSERT_EQ(row(slot), expected(slot));
      }
    }
    const PageTree& tree = states_.tree();
    ASSERT_EQ(tree.n_pinned(), static_cast<int>(n_users.size()));
    ASSERT_GE(tree.n_kept(), 0);
    for (int page = 0; page < sizes_.n_pages; ++page) {
      ASSERT_EQ(tree.n_users(page), n_users[page]) << "page " << page;
      if (n_users[page] > 1) {
        ASSERT_EQ(static_cast<int>(tree.tokens(page).size()), sizes_.page_size);
      }
    }
  }

 private:
  int32_t& cell(int page, int at) {
    return cells_[static_cast<size_t>(page) * static_cast<size_t>(sizes_.page_size) + static_cast<size_t>(at)];
  }
  Tokens& row(int i) { return rows_[static_cast<size_t>(i)]; }
  Tokens& expected(int slot) { return expected_[static_cast<size_t>(slot)]; }
  void copy(const SequenceStates::Copies& c) {
    if (c.to_page >= 0)
      for (int i = 0; i < sizes_.page_size; ++i) cell(c.to_page, i) = cell(c.from_page, i);
    if (c.to_row >= 0) row(c.to_row) = row(c.from_row);
  }

  SequenceStates::Sizes sizes_;
  SequenceStates states_;
  std::vector<int32_t> cells_;
  std::vector<Tokens> rows_, expected_;
};

// Three token ids, so that sequences often begin alike; prompts are often earlier ones, cut and changed.
class Random {
 public:
  explicit Random(uint32_t seed) : rng_(seed) {}
  int below(int n) { return static_cast<int>(rng_() % static_cast<uint32_t>(n)); }
  Tokens tokens(int n) {
    Tokens out;
    for (int i = 0; i < n; ++i) out.push_back(below(3));
    return out;
  }
  Tokens prompt(const std::vector<Tokens>& earlier) {
    Tokens out = earlier.empty() ? Tokens() : earlier[static_cast<size_t>(below(static_cast<int>(earlier.size())))];
    if (!out.empty() && below(2) == 0) out.resize(static_cast<size_t>(below(static_cast<int>(out.size()))));
    if (!out.empty() && below(4) == 0) out[static_cast<size_t>(below(static_cast<int>(out.size())))] = below(3);
    const Tokens more = tokens(below(6));
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }

 private:
  std::mt19937 rng_;
};

void run_at_random(const SequenceStates::Sizes& sizes, uint32_t seed, int n_operations) {
  Memory memory(sizes);
  Random random(seed);
  std::vector<Tokens> earlier;
  int n_reused = 0, n_refused = 0;
  for (int i = 0; i < n_operations; ++i) {
    const int slot = random.below(sizes.n_slots);
    switch (random.below(8)) {
      case 0:
      case 1: {
        if (!memory.tokens(slot).empty()) earlier.push_back(memory.tokens(slot));
        if (earlier.size() > 12) earlier.erase(earlier.begin());
        n_reused += memory.begin(slot, random.prompt(earlier)).n_reused;
        break;
      }
      case 2:
        memory.end(slot);
        break;
      case 3:
        memory.keep(slot);
        break;
      default:
        if (!memory.grow(slot, random.tokens(random.below(2 * sizes.page_size + 1)))) {
          ++n_refused;
          EXPECT_EQ(memory.states().tree().n_pinned(), sizes.n_pages) << "refused although there was a page";
          memory.end(random.below(sizes.n_slots));
        }
    }
    memory.check();
    if (testing::Test::HasFatalFailure()) FAIL() << "operation " << i << " of seed " << seed;
  }
  EXPECT_GT(n_reused, 20);
  EXPECT_GT(n_refused, 0) << "pages never ran out";
  for (int slot = 0; slot < sizes.n_slots; ++slot) memory.end(slot);
  EXPECT_EQ(memory.states().tree().n_pinned(), 0);
  EXPECT_TRUE(memory.grow(0, Tokens(static_cast<size_t>(sizes.n_pages * sizes.page_size), 7))) << "a page is lost";
  memory.check();
}

TEST(SequenceStates, AnyOrderOfOperationsKeepsTokensApartAndLosesNoPage) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    run_at_random({.n_slots = 3, .n_pages = 9, .page_size = 4}, seed, 1500);
    run_at_random({.n_slots = 3, .n_pages = 9, .page_size = 4, .n_kept_rows = 5, .has_recurrences = true}, seed, 1500);
    run_at_random({.n_slots = 5, .n_pages = 9, .page_size = 1}, seed, 500);
  }
}

TEST(SequenceStates, SequencesThatBeginAlikeShareFullPagesAndCopyTheLast) {
  Memory memory({.n_slots = 2, .n_pages = 10, .page_size = 4});
  const Tokens system{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  ASSERT_TRUE(memory.grow(0, system));
  const SequenceStates::Beginning second = memory.begin(1, system);
  EXPECT_EQ(second.n_reused, 10);
  EXPECT_EQ(second.copies.from_page, memory.states().pages(0)[2]) << "slot 0 goes on writing there";
  EXPECT_EQ(memory.states().tree().n_pinned(), 4);
  EXPECT_EQ(memory.states().pages(0)[1], memory.states().pages(1)[1]);
  ASSERT_TRUE(memory.grow(1, {20, 21}));
  ASSERT_TRUE(memory.grow(0, {30, 31}));
  memory.check();
}

TEST(SequenceStates, APageThatNobodyElseHasIsWrittenOnWithoutACopy) {
  Memory memory({.n_slots = 1, .n_pages = 3, .page_size = 4});
  ASSERT_TRUE(memory.grow(0, {1, 2, 3, 4, 5, 6}));
  memory.end(0);
  EXPECT_EQ(memory.states().tree().n_kept(), 2);
  const SequenceStates::Beginning next = memory.begin(0, {1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(next.n_reused, 6);
  EXPECT_EQ(next.copies.to_page, -1);
  memory.end(0);
  const SequenceStates::Beginning edited = memory.begin(0, {1, 2, 3, 4, 5, 9, 9});
  EXPECT_EQ(edited.n_reused, 5);
  EXPECT_GE(edited.copies.to_page, 0);
  memory.check();
}

// Two read the same at the same time; from the moment a page is full there is one of it.
TEST(SequenceStates, EqualFullPagesBecomeOne) {
  Memory memory({.n_slots = 2, .n_pages = 8, .page_size = 4});
  memory.begin(0, {}), memory.begin(1, {});
  for (int32_t token = 0; token < 6; ++token)
    for (int slot : {0, 1}) ASSERT_TRUE(memory.grow(slot, {token}));
  memory.check();
  EXPECT_EQ(memory.states().pages(0)[0], memory.states().pages(1)[0]);
  EXPECT_NE(memory.states().pages(0)[1], memory.states().pages(1)[1]);
  EXPECT_EQ(memory.states().tree().n_pinned(), 3);
}

TEST(SequenceStates, TheOneUnusedForLongestMakesRoom) {
  Memory memory({.n_slots = 1, .n_pages = 4, .page_size = 2});
  for (const int32_t first : {10, 20}) {
    memory.begin(0, {});
    ASSERT_TRUE(memory.grow(0, {first, 1, 2, 3}));
  }
  EXPECT_EQ(memory.begin(0, {10, 1, 2}).n_reused, 3);  // used again: 20 is the older one now
  memory.end(0);
  memory.begin(0, {});
  ASSERT_TRUE(memory.grow(0, {30, 1}));
  EXPECT_EQ(memory.begin(0, {10, 1, 2, 3}).n_reused, 4);
  EXPECT_LT(memory.begin(0, {20, 1, 2, 3}).n_reused, 4);
}

TEST(SequenceStates, WithoutAPageItSaysSo) {
  Memory memory({.n_slots = 2, .n_pages = 3, .page_size = 2});
  ASSERT_TRUE(memory.grow(0, {1, 2, 3, 4}));
  ASSERT_TRUE(memory.grow(1, {5, 6}));
  const Result<void> refused = memory.states().reserve(1, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_NE(refused.error().message.find("all 3 pages of the cache (6 tokens)"), std::string::npos)
      << refused.error().message;
  memory.check();
  memory.end(0);
  EXPECT_EQ(memory.states().tree().n_kept(), 2);
  ASSERT_TRUE(memory.states().reserve(0, 2));
  memory.end(0);
  EXPECT_EQ(memory.states().tree().n_kept(), 1) << "the one that made room is free: nothing was written to it";
  EXPECT_TRUE(memory.grow(1, {7, 8, 9}));
  memory.check();
}

// A page cannot be copied when there is none to copy to: then what is shared whole is what there is.
TEST(SequenceStates, WithoutAPageToCopyToLessIsReused) {
  for (const bool has_recurrences : {false, true}) {
    Memory memory({.n_slots = 2, .n_pages = 2, .page_size = 2, .n_kept_rows = 1, .has_recurrences = has_recurrences});
    ASSERT_TRUE(memory.grow(0, {1, 2, 3}));
    memory.keep(0);
    EXPECT_EQ(memory.begin(1, {1, 2, 3, 4}).n_reused, has_recurrences ? 0 : 2);
    memory.check();
  }
}

TEST(KeptStates, ASequenceGoesOnWhereItsStateWasKept) {
  Memory memory({.n_slots = 2, .n_pages = 20, .page_size = 4, .n_kept_rows = 2, .has_recurrences = true});
  ASSERT_TRUE(memory.grow(0, {1, 2, 3, 4, 5, 6}));
  memory.keep(0);
  ASSERT_TRUE(memory.grow(0, {7, 8, 9, 10}));
  const SequenceStates::Beginning other = memory.begin(1, {1, 2, 3, 4, 5, 6, 7, 8, 11});
  EXPECT_EQ(other.n_reused, 6);
  EXPECT_EQ(other.n_known, 8);
  memory.check();
  memory.keep(0);
  memory.keep(0);  // is there already
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).n_reused, 10);
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 4, 5, 11}).n_reused, 0) << "no state was kept before token 6";
  memory.check();
}

// Two go on from a kept state in pages of their own; a third finds it whichever of them it meets.
TEST(KeptStates, AStateIsFoundBesideTheTokensThatWentOnFromIt) {
  Memory memory({.n_slots = 2, .n_pages = 20, .page_size = 4, .n_kept_rows = 1, .has_recurrences = true});
  ASSERT_TRUE(memory.grow(0, {1, 2, 3, 4, 5, 6}));
  memory.keep(0);
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 4, 5, 6}).n_reused, 6);
  ASSERT_TRUE(memory.grow(0, {7}) && memory.grow(1, {8, 9, 10}));
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 4, 5, 6, 8, 9}).n_reused, 6);
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 4, 5, 6, 7, 9}).n_reused, 6);
  EXPECT_EQ(memory.begin(1, {1, 2, 3, 5, 5, 6, 7, 9}).n_reused, 0);
  memory.check();
}

TEST(KeptStates, TheLatestThatWereUsedStay) {
  Memory memory({.n_slots = 1, .n_pages = 20, .page_size = 4, .n_kept_rows = 2, .has_recurrences = true});
  for (const int32_t first : {10, 20, 10, 30}) {  // 10 is used again, so 20 goes
    memory.begin(0, {first, 1});
    if (memory.states().length(0) == 0) {
      ASSERT_TRUE(memory.grow(0, {first, 1}));
    }
    memory.keep(0);
  }
  EXPECT_EQ(memory.begin(0, {10, 1, 5}).n_reused, 2);
  EXPECT_EQ(memory.begin(0, {20, 1, 5}).n_reused, 0);
  EXPECT_EQ(memory.begin(0, {30, 1, 5}).n_reused, 2);
}

TEST(KeptStates, ThereMayBeNone) {
  Memory memory({.n_slots = 1, .n_pages = 4, .page_size = 4, .has_recurrences = true});
  ASSERT_TRUE(memory.grow(0, {1, 2, 3, 4, 5}));
  memory.keep(0);
  EXPECT_EQ(memory.begin(0, {1, 2, 3, 4, 5}).n_reused, 0);
  memory.check();
}

}  // namespace
}  // namespace hearth::sequence_states_test
