// FocusRing: shows where the keyboard is. Child of a control's background.
import QtQuick

Rectangle {
    property bool shown: false

    anchors.fill: parent
    anchors.margins: -3
    radius: Theme.controlRadius + 3
    color: "transparent"
    border.color: Theme.accent
    border.width: 2
    visible: shown
}
