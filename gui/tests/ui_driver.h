// UiDriver: works the real window as a person would: finds what is visible, scrolls to it, clicks, types.
#pragma once

#include <QQuickItem>
#include <QQuickWindow>

namespace hearth::gui {

class UiDriver {
 public:
  explicit UiDriver(QQuickWindow* window) : window_(window) {}

  QQuickWindow* window() const { return window_; }

  // The visible item with this objectName, inside `within` (a visible item's name) or anywhere. Null when there is none.
  QQuickItem* find(const QString& name, const QString& within = {}) const;
  // Waits for it to be there, and enabled when it is about to be used. Null after the time is up.
  QQuickItem* waitForItem(const QString& name, const QString& within = {}, int timeoutMs = 10'000) const;
  // False when there is nothing to click within the time.
  bool click(const QString& name, const QString& within = {}, int timeoutMs = 10'000) const;
  bool type(const QString& name, const QString& text, const QString& within = {}) const;  // into a field, by clicking it first
  bool write(const QString& text) const;  // into what has the keyboard; false when nothing has
  void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) const;

  // The property `text` of an item; "" when there is no such item.
  QString textOf(const QString& name, const QString& within = {}) const;
  bool waitForText(const QString& name, const QString& part, const QString& within = {}, int timeoutMs = 10'000) const;

 private:
  void scrollTo(QQuickItem* item) const;

  QQuickWindow* window_;
};

}  // namespace hearth::gui
