// UiDriver: the visual tree, depth first; clicks go through the window, so what is covered cannot be clicked.
#include "gui/tests/ui_driver.h"

#include <QtTest/QTest>

#include "gui/tests/support.h"

namespace hearth::gui {

namespace {
QQuickItem* findIn(QQuickItem* root, const QString& name) {
  if (!root->isVisible()) return nullptr;
  if (root->objectName() == name) return root;
  // Later children lie on top: dialogs are found before what they cover.
  const QList<QQuickItem*> children = root->childItems();
  for (auto it = children.rbegin(); it != children.rend(); ++it)
    if (QQuickItem* found = findIn(*it, name)) return found;
  return nullptr;
}

bool isUsable(const QQuickItem* item) { return item && item->isEnabled() && item->width() > 0 && item->height() > 0; }
}  // namespace

QQuickItem* UiDriver::find(const QString& name, const QString& within) const {
  QQuickItem* root = window_->contentItem();
  if (!within.isEmpty()) root = findIn(root, within);
  return root ? findIn(root, name) : nullptr;
}

QQuickItem* UiDriver::waitForItem(const QString& name, const QString& within, int timeoutMs) const {
  waitFor([&] { return isUsable(find(name, within)); }, timeoutMs);
  QQuickItem* item = find(name, within);
  return isUsable(item) ? item : nullptr;
}

void UiDriver::scrollTo(QQuickItem* item) const {
  for (QQuickItem* up = item->parentItem(); up; up = up->parentItem()) {
    if (!up->inherits("QQuickFlickable")) continue;
    QPointF at = item->mapToItem(up, QPointF(0, 0));
    double contentY = up->property("contentY").toDouble();
    double most = std::max(0.0, up->property("contentHeight").toDouble() - up->height());
    if (at.y() < 0 || at.y() + item->height() > up->height())
      up->setProperty("contentY", std::clamp(contentY + at.y() - (up->height() - item->height()) / 2, 0.0, most));
  }
}

bool UiDriver::click(const QString& name, const QString& within, int timeoutMs) const {
  QQuickItem* item = waitForItem(name, within, timeoutMs);
  if (!item) return false;
  window_->grabWindow();  // lays everything out, so that the item is where it will be seen
  scrollTo(item);
  QPoint centre = item->mapToScene(QPointF(item->width() / 2, item->height() / 2)).toPoint();
  QTest::mouseClick(window_, Qt::LeftButton, {}, centre);
  QCoreApplication::processEvents();
  return true;
}

bool UiDriver::type(const QString& name, const QString& text, const QString& within) const {
  return click(name, within) && write(text);
}

bool UiDriver::write(const QString& text) const {
  if (!window_->activeFocusItem()) return false;
  for (QChar c : text) QTest::sendKeyEvent(QTest::Click, window_, Qt::Key_unknown, QString(c), Qt::NoModifier);
  return true;
}

void UiDriver::key(Qt::Key key, Qt::KeyboardModifiers modifiers) const { QTest::keyClick(window_, key, modifiers); }

QString UiDriver::textOf(const QString& name, const QString& within) const {
  QQuickItem* item = find(name, within);
  return item ? item->property("text").toString() : QString();
}

bool UiDriver::waitForText(const QString& name, const QString& part, const QString& within, int timeoutMs) const {
  return waitFor([&] { return textOf(name, within).contains(part); }, timeoutMs);
}

}  // namespace hearth::gui
