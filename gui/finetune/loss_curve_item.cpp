// LossCurveItem: grid, raw line (faint), smoothed line, held-out dots.
#include "gui/finetune/loss_curve_item.h"

#include <QLocale>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace hearth::gui {

namespace {
constexpr double kLeft = 44, kRight = 12, kTop = 10, kBottom = 42;
constexpr int kWantedTicks = 4;

// The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most kWantedTicks parts.
double tickStep(double span) {
  double step = std::pow(10, std::floor(std::log10(span / kWantedTicks)));
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if (span / (step * factor) <= kWantedTicks) return step * factor;
  return step * 10;
}
}  // namespace

LossCurveItem::LossCurveItem(QQuickItem* parent) : QQuickPaintedItem(parent) {
  setAntialiasing(true);
  connect(this, &LossCurveItem::looksChanged, this, [this] { update(); });
}

void LossCurveItem::setCurve(LossCurve* curve) {
  if (curve_ == curve) return;
  if (curve_) curve_->disconnect(this);
  curve_ = curve;
  if (curve_) connect(curve_, &LossCurve::changed, this, [this] { update(); });
  emit looksChanged();
}

QPointF LossCurveItem::Frame::at(const QPointF& point) const {
  return {plot.left() + plot.width() * point.x() / xMax,
          plot.bottom() - plot.height() * (point.y() - yMin) / (yMax - yMin)};
}

LossCurveItem::Frame LossCurveItem::frame() const {
  Frame frame{QRectF(kLeft, kTop, std::max(1.0, width() - kLeft - kRight), std::max(1.0, height() - kTop - kBottom)), 1,
              0, 1};
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (const auto* points : {&curve_->train(), &curve_->eval()})
    for (const QPointF& p : *points) {
      if (!std::isfinite(p.y())) continue;
      low = std::min(low, p.y());
      high = std::max(high, p.y());
      frame.xMax = std::max(frame.xMax, p.x());
    }
  if (low > high) return frame;
  double margin = std::max((high - low) * 0.08, 0.02);
  frame.yMin = std::max(0.0, low - margin);
  frame.yMax = high + margin;
  return frame;
}

void LossCurveItem::paint(QPainter* painter) {
  if (!curve_) return;
  Frame f = frame();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setFont(font_);
  paintGrid(*painter, f);
  QColor faint = lineColor_;
  faint.setAlphaF(0.28F);
  paintLine(*painter, f, curve_->train(), QPen(faint, 1.2));
  paintLine(*painter, f, curve_->trainSmooth(), QPen(lineColor_, 2.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  paintLine(*painter, f, curve_->eval(), QPen(evalColor_, 1.4, Qt::DashLine));
  painter->setPen(Qt::NoPen);
  painter->setBrush(evalColor_);
  for (const QPointF& p : curve_->eval()) painter->drawEllipse(f.at(p), 3.5, 3.5);
}

void LossCurveItem::paintGrid(QPainter& painter, const Frame& f) const {
  double yStep = tickStep(f.yMax - f.yMin);
  int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(yStep))));
  for (double y = std::ceil(f.yMin / yStep) * yStep; y <= f.yMax; y += yStep) {
    QPointF p = f.at({0, y});
    painter.setPen(QPen(gridColor_, 1));
    painter.drawLine(p, QPointF(f.plot.right(), p.y()));
    painter.setPen(textColor_);
    painter.drawText(QRectF(0, p.y() - 10, kLeft - 8, 20), Qt::AlignRight | Qt::AlignVCenter,
                     QLocale().toString(y, 'f', decimals));
  }
  double xStep = std::max(1.0, tickStep(f.xMax));
  for (double x = 0; x <= f.xMax; x += xStep) {
    QPointF p = f.at({x, f.yMin});
    painter.setPen(textColor_);
    painter.drawText(QRectF(p.x() - 30, p.y() + 6, 60, 18), Qt::AlignHCenter | Qt::AlignTop,
                     QLocale().toString(x, 'f', 0));
  }
  painter.drawText(QRectF(f.plot.left(), f.plot.bottom() + 22, f.plot.width(), 18), Qt::AlignHCenter | Qt::AlignTop,
                   xTitle_);
}

void LossCurveItem::paintLine(QPainter& painter, const Frame& f, const QList<QPointF>& points, const QPen& pen) const {
  QPainterPath path;
  for (const QPointF& p : points) {
    if (!std::isfinite(p.y())) continue;
    path.elementCount() == 0 ? path.moveTo(f.at(p)) : path.lineTo(f.at(p));
  }
  painter.setPen(pen);
  painter.setBrush(Qt::NoBrush);
  painter.drawPath(path);
}

}  // namespace hearth::gui
