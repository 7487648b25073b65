// Which page of the cache holds which tokens: a tree, in which sequences that begin alike share pages. Bookkeeping by
// token ids, compared one by one; knows no memory and no sequences.
//
// The tokens of a page come after those of the pages above it; only full pages have pages with tokens below. A page is
// written by the one sequence that it was added for, until it is full; whoever else begins with some of its tokens
// copies it first. Pages that running sequences use are pinned. The others are kept for whom they may serve, until
// there is no free page: then the one unused for longest goes, lowest first.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "base/result.h"

namespace hearth {

class PageTree {
 public:
  // `on_gone` hears of pages whose tokens are forgotten, or are in another page from now on (kNone: nowhere).
  static constexpr int kNone = -1;
  using OnGone = std::function<void(int page, int instead)>;
  PageTree(int n_pages, int page_size, OnGone on_gone);

  // The pages that hold the longest known beginning of `tokens`: all of each but the last, of which perhaps more than
  // is common.
  struct Match {
    std::vector<int> pages;
    int n_tokens = 0;
  };
  Match find(std::span<const int32_t> tokens) const;

  void pin(int page);
  void unpin(int page);  // to be called from the lowest page up
  // Pins a page that nobody uses and that holds just n_tokens, none below it: its next tokens may be written. False:
  // it is not so.
  bool take_over(int page, int n_tokens);
  // A pinned page below `above` (kNone: where sequences begin) with these tokens. resource_exhausted: all are pinned.
  Result<int> add(int above, std::span<const int32_t> tokens);
  // One token more in a page that is not full and is pinned once. Returns the page that holds them from now on: it may
  // be another that had the same tokens.
  int append(int page, int32_t token);

  int page_size() const { return page_size_; }
  int n_pages() const { return static_cast<int>(pages_.size()) - 1; }
  int n_pinned() const { return n_pinned_; }
  int n_kept() const { return n_pages() - n_pinned_ - static_cast<int>(free_.size()); }
  int n_users(int page) const { return at(page).n_users; }
  std::span<const int32_t> tokens(int page) const { return at(page).tokens; }
  int above(int page) const;  // kNone: none

 private:
  struct Page {
    int above = kNone;
    std::vector<int> below;
    std::vector<int32_t> tokens;
    int n_users = 0;
    uint64_t last_used = 0;
  };
  const Page& at(int page) const { return pages_[static_cast<size_t>(page)]; }
  Page& at(int page) { return pages_[static_cast<size_t>(page)]; }
  int root() const { return n_pages(); }  // the last of pages_: no page, what is above those of beginnings
  Result<int> free_page();
  void release(int page, int instead);
  int twin(int page) const;

  int page_size_;
  OnGone on_gone_;
  std::vector<Page> pages_;
  std::vector<int> free_;
  std::set<std::pair<uint64_t, int>> evictable_;  // by last_used: kept pages with none below
  uint64_t clock_ = 0;
  int n_pinned_ = 0;
};

}  // namespace hearth
