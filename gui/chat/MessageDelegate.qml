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
    // There for the keyboard always, seen when it matters.
    readonly property bool showsButtons: hover.hovered || isLast || activeFocus
    readonly property int column: Math.min(760, width - 2 * Theme.gap5)

    implicitHeight: body.implicitHeight
    height: implicitHeight

    HoverHandler { id: hover }

    ColumnLayout {
        id: body
        x: (item.width - width) / 2
        width: item.column
        spacing: Theme.gap1

        // Its buttons lie beside the bubble: below it, seldom seen, they would part a question from its answer.
        RowLayout {
            visible: item.isUser && !item.editing
            Layout.alignment: Qt.AlignRight
            spacing: 2
            IconButton {
                objectName: "copyMessage"
                opacity: item.showsButtons ? 1 : 0
                size: 28
                glyph: Icons.copy
                text: qsTr("Copy")
                onClicked: item.chat.copy(item.messageText)
            }
            IconButton {
                objectName: "editMessage"
                opacity: !item.showsButtons ? 0 : enabled ? 1 : 0.4
                size: 28
                glyph: Icons.pencil
                text: qsTr("Edit and ask again")
                enabled: !item.chat.isAnswering
                onClicked: {
                    editor.begin(item.messageText)
                    item.editing = true
                }
            }
            UserBubble {
                Layout.maximumWidth: item.column * 0.82
                Layout.leftMargin: Theme.gap1
                text: item.isUser ? item.messageText : ""
            }
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
            visible: !item.isUser
            spacing: 2
            opacity: item.showsButtons ? 1 : 0
            IconButton {
                objectName: "copyMessage"
                size: 28
                glyph: Icons.copy
                text: qsTr("Copy")
                visible: item.messageText !== "" && !item.isStreaming
                onClicked: item.chat.copy(item.messageText)
            }
            IconButton {
                objectName: "regenerate"
                size: 28
                glyph: Icons.again
                text: qsTr("Answer again")
                visible: item.isLast && !item.isStreaming
                enabled: !item.chat.isAnswering
                onClicked: item.chat.regenerate()
            }
            AppText {
                Layout.leftMargin: Theme.gap1
                kind: "small"
                color: Theme.faint
                visible: !item.isStreaming
                text: item.footText
            }
        }
    }
}
