// LossCurve: raw points, and the same smoothed so that the trend shows through the noise of small batches.
#include "gui/finetune/loss_curve.h"

#include <algorithm>
#include <cmath>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr qsizetype kMaxPoints = 600;  // drawn; more than the curve has pixels would only cost time
constexpr double kShareOfCurve = 0.12, kLeastNeighbours = 7;

// The line through the points around x, near ones counting more (LOESS): unlike an average of the past it does not lag
// behind a falling curve, at its end neither.
double trendAt(const QList<QPointF>& points, qsizetype i, qsizetype reach) {
  const qsizetype first = std::max<qsizetype>(0, i - reach), last = std::min(points.size() - 1, i + reach);
  const double x0 = points[i].x(), width = std::max(x0 - points[first].x(), points[last].x() - x0) + 1e-9;
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (qsizetype k = first; k <= last; ++k) {
    const double dx = points[k].x() - x0, near = 1 - std::pow(std::abs(dx) / (width * 1.0001), 3),
                 weight = near * near * near;
    w += weight;
    wx += weight * dx;
    wy += weight * points[k].y();
    wxx += weight * dx * dx;
    wxy += weight * dx * points[k].y();
  }
  const double spread = w * wxx - wx * wx;
  return spread > 1e-12 ? (wxx * wy - wx * wxy) / spread : wy / w;
}
}  // namespace

void LossCurve::setPoints(const std::vector<api::MetricPoint>& points, std::optional<double> evalBefore) {
  train_.clear();
  smooth_.clear();
  eval_.clear();
  if (evalBefore) eval_.append({0, *evalBefore});
  const size_t every = std::max<size_t>(1, points.size() / kMaxPoints);
  for (size_t i = 0; i < points.size(); ++i) {
    const api::MetricPoint& p = points[i];
    if (std::isfinite(p.loss) && (i % every == 0 || i + 1 == points.size()))
      train_.append({static_cast<double>(p.step), p.loss});
    if (p.eval_loss) eval_.append({static_cast<double>(p.step), *p.eval_loss});
  }
  const auto reach =
      static_cast<qsizetype>(std::max(kLeastNeighbours, kShareOfCurve * static_cast<double>(train_.size())));
  for (qsizetype i = 0; i < train_.size(); ++i) smooth_.append({train_[i].x(), trendAt(train_, i, reach)});
  emit changed();
}

QString LossCurve::summary() const {
  if (isEmpty()) return tr("No steps yet.");
  return tr("Loss from %1 at the start to %2 at step %3.")
      .arg(lossText(smooth_.first().y()), lossText(smooth_.last().y()))
      .arg(countText(static_cast<qint64>(smooth_.last().x())));
}

}  // namespace hearth::gui
