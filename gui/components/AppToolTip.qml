// AppToolTip: a hint in plain text. The style's own would read a name with tags in it as rich text.
import QtQuick
import QtQuick.Controls.Basic

ToolTip {
    id: tip
    delay: 600
    padding: Theme.gap2
    contentItem: AppText {
        text: tip.text
        font.pixelSize: Theme.small
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: Theme.raised
        border.color: Theme.controlBorder
    }
}
