// LossCurveItem: draws a LossCurve with axes. A view: colours come from the theme through its properties.
#pragma once

#include <QColor>
#include <QPointer>
#include <QQuickPaintedItem>

#include "gui/finetune/loss_curve.h"

namespace hearth::gui {

class LossCurveItem : public QQuickPaintedItem {
  Q_OBJECT
  QML_ELEMENT
  Q_PROPERTY(hearth::gui::LossCurve* curve READ curve WRITE setCurve NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor lineColor MEMBER lineColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor evalColor MEMBER evalColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor gridColor MEMBER gridColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QColor textColor MEMBER textColor_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QFont font MEMBER font_ NOTIFY looksChanged FINAL)
  Q_PROPERTY(QString xTitle MEMBER xTitle_ NOTIFY looksChanged FINAL)  // below the horizontal axis
 public:
  explicit LossCurveItem(QQuickItem* parent = nullptr);
  void paint(QPainter* painter) override;
  LossCurve* curve() const { return curve_; }
  void setCurve(LossCurve* curve);

 signals:
  void looksChanged();

 private:
  struct Frame {
    QRectF plot;
    double xMax, yMin, yMax;
    QPointF at(const QPointF& point) const;
  };
  Frame frame() const;
  void paintGrid(QPainter& painter, const Frame& frame) const;
  void paintLine(QPainter& painter, const Frame& frame, const QList<QPointF>& points, const QPen& pen) const;

  QPointer<LossCurve> curve_;
  QColor lineColor_, evalColor_, gridColor_, textColor_;
  QFont font_;
  QString xTitle_;
};

}  // namespace hearth::gui
