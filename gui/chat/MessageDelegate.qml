// MessageDelegate: a question in a bubble, or an answer across the page.
import QtQuick
import QtQuick.Layouts
import Hearth

FocusScope {
    id: item
    required property Chat chat
    required property int messageId
    required property bool isUser
    required property string messageText
    required property BlockListModel blocks
    required property bool isStreaming
    required property string footText
    required property string problem
    required property bool isLast
    property bool editing: false
    readonly property int column: Math.min(760, width - 2 * Theme.gap5)

    implicitHeight: body.implicitHeight
    height: implicitHeight

    HoverHandler { id: hover }

    ColumnLayout {
        id: body
        x: (item.width - width) / 2
        width: item.column
        spacing: Theme.gap1

        UserBubble {
            visible: item.isUser && !item.editing
            Layout.alignment: Qt.AlignRight
            Layout.maximumWidth: item.column * 0.82
            text: item.isUser ? item.messageText : ""
        }
        MessageEditor {
            visible: item.editing
            Layout.fillWidth: true
            onAccepted: text => {
                if (item.chat.editAndResend(item.messageId, text))
                    item.editing = false
            }
            onRejected: item.editing = false
            id: editor
        }
        AnswerBlocks {
            visible: !item.isUser
            Layout.fillWidth: true
            blocks: item.isUser ? null : item.blocks
            chat: item.chat
        }
        ThinkingDots {
            visible: item.isStreaming && item.messageText === ""
        }
        Notice {
            Layout.topMargin: Theme.gap1
            text: item.problem
            actionText: item.isLast ? qsTr("Try again") : ""
            onAction: item.chat.regenerate()
        }
        RowLayout {
            visible: !item.editing
            Layout.alignment: item.isUser ? Qt.AlignRight : Qt.AlignLeft
            spacing: 2
            // There for the keyboard always, seen when it matters.
            opacity: hover.hovered || item.isLast || item.activeFocus ? 1 : 0
            IconButton {
                objectName: "copyMessage"
                size: 28
                glyph: Icons.copy
                text: qsTr("Copy")
                visible: item.messageText !== "" && !item.isStreaming
                onClicked: item.chat.copy(item.messageText)
            }
            IconButton {
                objectName: "editMessage"
                size: 28
                glyph: Icons.pencil
                text: qsTr("Edit and ask again")
                visible: item.isUser
                enabled: !item.chat.isAnswering
                onClicked: {
                    editor.begin(item.messageText)
                    item.editing = true
                }
            }
            IconButton {
                objectName: "regenerate"
                size: 28
                glyph: Icons.again
                text: qsTr("Answer again")
                visible: !item.isUser && item.isLast && !item.isStreaming
                enabled: !item.chat.isAnswering
                onClicked: item.chat.regenerate()
            }
            AppText {
                Layout.leftMargin: Theme.gap1
                kind: "small"
                color: Theme.faint
                visible: !item.isUser && !item.isStreaming
                text: item.footText
            }
        }
    }
}
