// LossCurve: the points of one training, as numbers. What the curve looks like is loss_curve_item.h.
#pragma once

#include <QList>
#include <QObject>
#include <QPointF>
#include <QtQml/qqmlregistration.h>

#include <vector>

#include "appliance/api/types.h"

namespace hearth::gui {

class LossCurve : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
  Q_PROPERTY(bool isEmpty READ isEmpty NOTIFY changed FINAL)
  Q_PROPERTY(QString summary READ summary NOTIFY changed FINAL)  // for people who cannot see it
 public:
  using QObject::QObject;

  // evalBefore: held-out loss before the first step, drawn at step 0.
  void setPoints(const std::vector<api::MetricPoint>& points, std::optional<double> evalBefore);
  void clear() { setPoints({}, {}); }

  bool isEmpty() const { return train_.isEmpty(); }
  QString summary() const;
  // x: step, y: loss
  const QList<QPointF>& train() const { return train_; }
  const QList<QPointF>& trainSmooth() const { return smooth_; }
  const QList<QPointF>& eval() const { return eval_; }

 signals:
  void changed();

 private:
  QList<QPointF> train_, smooth_, eval_;
};

}  // namespace hearth::gui
