// ThoughtBox: what a model thought before it answered: one line that says for how long, the text when one asks for it.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: box
    required property Chat chat
    required property BlockListModel thoughts
    required property string title
    required property bool isThinking
    property bool isOpen: false

    spacing: Theme.gap2

    AbstractButton {
        id: head
        objectName: "thoughtTitle"
        text: box.title
        implicitHeight: 28
        implicitWidth: line.implicitWidth
        Accessible.name: text
        Accessible.description: box.isOpen ? qsTr("Hide what the model thought") : qsTr("Show what the model thought")
        Keys.onReturnPressed: clicked()
        Keys.onEnterPressed: clicked()
        onClicked: box.isOpen = !box.isOpen
        contentItem: RowLayout { // qmllint disable
            id: line
            spacing: Theme.gap2
            AppIcon {
                glyph: Icons.down
                rotation: box.isOpen ? 0 : -90
                size: 14
                color: Theme.muted
            }
            AppText {
                text: head.text
                color: head.hovered ? Theme.text : Theme.muted
                wrapMode: Text.NoWrap
            }
            ThinkingDots {
                visible: box.isThinking
            }
        }
        background: Item {
            FocusRing { shown: head.visualFocus }
        }
    }
    RowLayout {
        visible: box.isOpen
        Layout.fillWidth: true
        spacing: Theme.gap3
        Rectangle {
            Layout.fillHeight: true
            implicitWidth: 2
            color: Theme.border
        }
        Loader {
            objectName: "thoughtText"
            Layout.fillWidth: true
            active: box.isOpen
            sourceComponent: AnswerBlocks {
                blocks: box.thoughts
                chat: box.chat
                pixelSize: 13
                opacity: 0.8
            }
        }
    }
}
