// Connection: whether the service answers, where it is expected, and what to do when it does not.
#pragma once

#include <QObject>
#include <QtQml/qqmlregistration.h>

#include "gui/client/box_state.h"

namespace hearth::gui {

class Connection : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(bool isConnected READ isConnected NOTIFY changed FINAL)
  Q_PROPERTY(bool isUnreachable READ isUnreachable NOTIFY changed FINAL)
  Q_PROPERTY(bool isLocal READ isLocal NOTIFY changed FINAL)
  Q_PROPERTY(QString address READ address NOTIFY changed FINAL)
  // One line for the foot of the window.
  Q_PROPERTY(QString stateText READ stateText NOTIFY changed FINAL)
  // Why it is unreachable, as the system said it.
  Q_PROPERTY(QString problem READ problem NOTIFY changed FINAL)
  // What to do about it, and the command to copy ("" when there is none).
  Q_PROPERTY(QString advice READ advice NOTIFY changed FINAL)
  Q_PROPERTY(QString command READ command NOTIFY changed FINAL)
  // Why the last address that was typed in cannot be one.
  Q_PROPERTY(QString addressProblem READ addressProblem NOTIFY changed FINAL)

 public:
  explicit Connection(BoxState& box, QObject* parent = nullptr);

  bool isConnected() const;
  bool isUnreachable() const;
  bool isLocal() const;
  QString address() const;
  QString stateText() const;
  QString problem() const;
  QString advice() const;
  QString command() const;
  QString addressProblem() const { return addressProblem_; }

  Q_INVOKABLE void retry();
  // "" is this box. A bad address sets addressProblem and changes nothing.
  Q_INVOKABLE void connectTo(const QString& url);
  void retranslate() { emit changed(); }

 signals:
  void changed();
  void addressChosen(const QString& url);

 private:
  BoxState& box_;
  QString addressProblem_;
};

}  // namespace hearth::gui
