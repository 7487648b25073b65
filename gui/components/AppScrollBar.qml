// AppScrollBar: thin, and only as loud as it must be.
import QtQuick
import QtQuick.Controls.Basic

ScrollBar {
    id: bar
    padding: 3
    minimumSize: 0.08
    contentItem: Rectangle {
        implicitWidth: 6
        implicitHeight: 6
        radius: 3
        color: Theme.faint
        opacity: bar.size < 1 ? (bar.pressed ? 1 : bar.hovered ? 0.85 : 0.6) : 0
    }
}
