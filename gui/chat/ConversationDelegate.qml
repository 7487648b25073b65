// ConversationDelegate: one conversation in the list.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ItemDelegate {
    id: item
    required property string conversationId
    required property string title
    required property string timeText
    property bool current: false
    property bool focused: false
    signal opened()
    signal removalWanted()
    signal renamingWanted()

    implicitHeight: 50
    leftPadding: Theme.gap3
    rightPadding: Theme.gap1
    topPadding: 0
    bottomPadding: 0
    text: title
    Accessible.name: title
    Accessible.description: timeText
    onClicked: opened()
    Keys.onReturnPressed: opened()
    Keys.onDeletePressed: removalWanted()
    Keys.onPressed: event => {
        if (event.key === Qt.Key_F2) {
            renamingWanted()
            event.accepted = true
        }
    }

    contentItem: RowLayout {
        spacing: 0
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 0
            AppText {
                Layout.fillWidth: true
                text: item.title
                elide: Text.ElideRight
                wrapMode: Text.NoWrap
                maximumLineCount: 1
                font.bold: item.current
                font.pixelSize: 13
            }
            AppText {
                kind: "small"
                color: Theme.faint
                text: item.timeText
            }
        }
        IconButton {
            size: 26
            visible: item.hovered || item.current || item.focused
            glyph: Icons.pencil
            text: qsTr("Rename %1").arg(item.title)
            onClicked: item.renamingWanted()
        }
        IconButton {
            size: 26
            visible: item.hovered || item.current || item.focused
            glyph: Icons.trash
            text: qsTr("Delete %1").arg(item.title)
            onClicked: item.removalWanted()
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: item.current ? Theme.pressed : item.hovered ? Theme.hover : "transparent"
        border.width: item.focused ? 2 : 0
        border.color: Theme.accent
    }
}
