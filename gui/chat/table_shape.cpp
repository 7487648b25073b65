// TableShape: the widest of all pieces, and a level that wide columns are cut down to.
#include "gui/chat/table_shape.h"

#include <algorithm>
#include <cmath>

namespace hearth::gui {

namespace {
double sumAt(const std::vector<ColumnNeed>& needs, double level) {
  double sum = 0;
  for (const ColumnNeed& n : needs) sum += std::clamp(level, n.word, n.text);
  return sum;
}

// The highest level at which the columns fit.
double levelFor(const std::vector<ColumnNeed>& needs, double room) {
  double low = 0, high = kMaxTableWidth;
  for (int i = 0; i < 30; ++i) (sumAt(needs, (low + high) / 2) > room ? high : low) = (low + high) / 2;
  return low;
}

// Words as they are, but none wider than the room, nor all of them wider than a table may be.
void boundWords(std::vector<ColumnNeed>& needs, double room) {
  for (ColumnNeed& n : needs) {
    n.word = std::clamp(n.word, kMinColumn, std::max(std::floor(room), kMinColumn));
    n.text = std::max(n.word, std::min(n.text, kMaxTextColumn));
  }
  std::vector<ColumnNeed> shrinking = needs;
  for (ColumnNeed& n : shrinking) n.text = n.word, n.word = kMinColumn;
  const double level = levelFor(shrinking, kMaxTableWidth);
  for (ColumnNeed& n : needs) n.word = std::min(n.word, std::max(level, kMinColumn));
}
}  // namespace

ColumnNeed wider(const ColumnNeed& a, const ColumnNeed& b) {
  return {.word = std::max(a.word, b.word), .text = std::max(a.text, b.text)};
}

std::vector<double> columnWidths(std::vector<ColumnNeed> needs, double room) {
  boundWords(needs, room);
  if (sumAt(needs, 0) > room && sumAt(needs, kEasyColumn) <= kMaxTableWidth)
    for (ColumnNeed& n : needs) n.word = std::clamp(kEasyColumn, n.word, n.text);
  const double level = levelFor(needs, room);
  std::vector<double> widths;
  widths.reserve(needs.size());
  for (const ColumnNeed& n : needs) widths.push_back(std::ceil(std::clamp(std::floor(level), n.word, n.text)));
  return widths;
}

TableShape::TableShape(QObject* parent) : QObject(parent) {
  settle_.setSingleShot(true);
  settle_.setInterval(kSettleMs);
  connect(&settle_, &QTimer::timeout, this, [this] { take(widest()); });
}

void TableShape::setLastRow(int row) {
  if (lastRow_ == row) return;
  lastRow_ = row;
  emit lastRowChanged();
}

void TableShape::setNeeds(const void* piece, std::vector<ColumnNeed> needs) {
  std::vector<ColumnNeed>& kept = pieces_[piece];
  if (kept == needs) return;
  kept = std::move(needs);
  std::vector<ColumnNeed> grown = widest();
  if (grown.size() == needs_.size())
    for (size_t c = 0; c < grown.size(); ++c) grown[c] = wider(grown[c], needs_[c]);
  take(std::move(grown));
  settle_.start();
}

void TableShape::forget(const void* piece) {
  if (pieces_.erase(piece) > 0) settle_.start();
}

std::vector<ColumnNeed> TableShape::widest() const {
  std::vector<ColumnNeed> all;
  for (const auto& [_, needs] : pieces_) {
    all.resize(std::max(all.size(), needs.size()));
    for (size_t c = 0; c < needs.size(); ++c) all[c] = wider(all[c], needs[c]);
  }
  return all;
}

void TableShape::take(std::vector<ColumnNeed> needs) {
  if (needs == needs_) return;
  needs_ = std::move(needs);
  emit needsChanged();
}

}  // namespace hearth::gui
