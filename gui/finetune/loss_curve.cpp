// LossCurve: raw points, and the same smoothed so that the trend shows through the noise of small batches.
#include "gui/finetune/loss_curve.h"

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
// Weight of the past in the moving average: about the last ten steps count.
constexpr double kMemory = 0.85;
}  // namespace

void LossCurve::setPoints(const std::vector<api::MetricPoint>& points, std::optional<double> evalBefore) {
  train_.clear();
  smooth_.clear();
  eval_.clear();
  if (evalBefore) eval_.append({0, *evalBefore});
  double sum = 0, weight = 0;
  for (const api::MetricPoint& p : points) {
    sum = kMemory * sum + (1 - kMemory) * p.loss;
    weight = kMemory * weight + (1 - kMemory);
    train_.append({static_cast<double>(p.step), p.loss});
    smooth_.append({static_cast<double>(p.step), sum / weight});
    if (p.eval_loss) eval_.append({static_cast<double>(p.step), *p.eval_loss});
  }
  emit changed();
}

QString LossCurve::summary() const {
  if (isEmpty()) return tr("No steps yet.");
  return tr("Loss from %1 at the start to %2 at step %3.")
      .arg(lossText(smooth_.first().y()), lossText(smooth_.last().y()))
      .arg(countText(static_cast<qint64>(smooth_.last().x())));
}

}  // namespace hearth::gui
