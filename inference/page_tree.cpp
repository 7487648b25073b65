// PageTree: finding, sharing and giving up pages.
#include "inference/page_tree.h"

#include <algorithm>

#include "base/check.h"

namespace hearth {
namespace {

size_t n_common(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t n = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first -
                             a.begin());
}

}  // namespace

PageTree::PageTree(int n_pages, int page_size, OnGone on_gone)
    : page_size_(page_size), on_gone_(std::move(on_gone)), pages_(static_cast<size_t>(n_pages) + 1) {
  for (int page = n_pages; page-- > 0;) free_.push_back(page);
}

int PageTree::above(int page) const {
  return at(page).above == root() ? kNone : at(page).above;
}

PageTree::Match PageTree::find(std::span<const int32_t> tokens) const {
  Match match;
  for (int here = root(); here != kNone;) {
    const std::span<const int32_t> rest = tokens.subspan(static_cast<size_t>(match.n_tokens));
    int best = kNone;
    size_t most = 0;
    for (const int page : at(here).below)
      if (const size_t n = n_common(at(page).tokens, rest); n > most) best = page, most = n;
    if (best != kNone) match.pages.push_back(best);
    match.n_tokens += static_cast<int>(most);
    here = static_cast<int>(most) == page_size_ ? best : kNone;
  }
  return match;
}

void PageTree::pin(int page) {
  Page& p = at(page);
  if (p.n_users++ > 0) return;
  ++n_pinned_;
  evictable_.erase({p.last_used, page});
}

void PageTree::unpin(int page) {
  Page& p = at(page);
  CHECK(p.n_users > 0);
  if (--p.n_users > 0) return;
  --n_pinned_;
  p.last_used = ++clock_;
  if (p.tokens.empty()) return release(page, kNone);
  if (p.below.empty()) evictable_.insert({p.last_used, page});
}

bool PageTree::take_over(int page, int n_tokens) {
  const Page& p = at(page);
  if (p.n_users > 0 || !p.below.empty() || static_cast<int>(p.tokens.size()) != n_tokens) return false;
  pin(page);
  return true;
}

// Out of the tree; what the page was is over.
void PageTree::release(int page, int instead) {
  Page& p = at(page);
  CHECK(p.below.empty());
  on_gone_(page, instead);
  Page& above = at(p.above);
  std::erase(above.below, page);
  if (p.above != root() && above.below.empty() && above.n_users == 0) evictable_.insert({above.last_used, p.above});
  p = Page{};
  free_.push_back(page);
}

Result<int> PageTree::free_page() {
  if (free_.empty()) {
    if (evictable_.empty())
      return error(Code::resource_exhausted,
                   "all {} pages of the cache ({} tokens) are in use by running sequences; one of them has to end",
                   n_pages(), int64_t{n_pages()} * page_size_);
    const int page = evictable_.begin()->second;
    evictable_.erase(evictable_.begin());
    release(page, kNone);
  }
  const int page = free_.back();
  free_.pop_back();
  return page;
}

Result<int> PageTree::add(int above, std::span<const int32_t> tokens) {
  const int page = TRY(free_page());
  Page& p = at(page);
  p.above = above == kNone ? root() : above;
  CHECK(above == kNone || at(above).n_users > 0);
  p.tokens.reserve(static_cast<size_t>(page_size_));
  p.tokens.assign(tokens.begin(), tokens.end());
  at(p.above).below.push_back(page);
  pin(page);
  return page;
}

// Another page after the same one, with the same tokens.
int PageTree::twin(int page) const {
  for (const int other : at(at(page).above).below)
    if (other != page && at(other).tokens == at(page).tokens) return other;
  return kNone;
}

int PageTree::append(int page, int32_t token) {
  Page& p = at(page);
  CHECK(p.n_users == 1 && static_cast<int>(p.tokens.size()) < page_size_);
  p.tokens.push_back(token);
  if (static_cast<int>(p.tokens.size()) < page_size_) return page;
  const int other = twin(page);
  if (other == kNone) return page;
  pin(other);
  for (const int below : p.below) at(below).above = other;
  at(other).below.insert(at(other).below.end(), p.below.begin(), p.below.end());
  p.below.clear();
  p.n_users = 0;
  --n_pinned_;
  release(page, other);
  return other;
}

}  // namespace hearth
