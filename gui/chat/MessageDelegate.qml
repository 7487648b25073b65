// MessageDelegate: a question in a bubble, or an answer across the page.
import QtQuick
import QtQuick.Layouts
import Hearth

FocusScope {
    id: message
    required property Chat chat
    required property int messageId
    required property bool isUser
    required property string userText
    required property bool hasText
    required property BlockListModel blocks
    required property bool isStreaming
    required property BlockListModel thoughts
    required property string thoughtTitle
    required property bool isThinking
    required property string footText
    required property string problem
    required property bool isLast
    property bool editing: false
    // There for the keyboard always, seen when it matters.
    readonly property bool showsButtons: hover.hovered || isLast || activeFocus
    readonly property int column: Math.min(760, width - 2 * Theme.gap5)

    objectName: "message:" + messageId
    implicitHeight: body.implicitHeight
    height: implicitHeight

    HoverHandler { id: hover }

    ColumnLayout {
        id: body
        x: (message.width - width) / 2
        width: message.column
        spacing: Theme.gap1

        // Its buttons lie beside the bubble: below it, seldom seen, they would part a question from its answer.
        RowLayout {
            visible: message.isUser && !message.editing
            Layout.alignment: Qt.AlignRight
            spacing: 2
            IconButton {
                objectName: "copyMessage"
                opacity: message.showsButtons ? 1 : 0
                size: 28
                glyph: Icons.copy
                text: qsTr("Copy")
                onClicked: message.chat.copyMessage(message.messageId)
            }
            IconButton {
                objectName: "editMessage"
                opacity: !message.showsButtons ? 0 : enabled ? 1 : 0.4
                size: 28
                glyph: Icons.pencil
                text: qsTr("Edit and ask again")
                enabled: !message.chat.isAnswering
                onClicked: {
                    editor.begin(message.userText)
                    message.editing = true
                }
            }
            UserBubble {
                Layout.maximumWidth: message.column * 0.82
                Layout.leftMargin: Theme.gap1
                text: message.userText
            }
        }
        MessageEditor {
            visible: message.editing
            Layout.fillWidth: true
            onAccepted: text => {
                if (message.chat.editAndResend(message.messageId, text))
                    message.editing = false
            }
            onRejected: message.editing = false
            id: editor
        }
        Loader {
            Layout.fillWidth: true
            Layout.bottomMargin: Theme.gap2
            visible: active
            active: message.thoughtTitle !== ""
            sourceComponent: ThoughtBox {
                chat: message.chat
                thoughts: message.thoughts
                title: message.thoughtTitle
                isThinking: message.isThinking
            }
        }
        Loader {
            Layout.fillWidth: true
            visible: active
            active: !message.isUser
            sourceComponent: AnswerBlocks {
                blocks: message.blocks
                chat: message.chat
            }
        }
        ThinkingDots {
            visible: message.isStreaming && !message.hasText && message.thoughtTitle === ""
        }
        Notice {
            Layout.topMargin: Theme.gap1
            text: message.problem
            actionText: message.isLast ? qsTr("Try again") : ""
            onAction: message.chat.regenerate()
        }
        RowLayout {
            visible: !message.isUser
            spacing: 2
            opacity: message.showsButtons ? 1 : 0
            IconButton {
                objectName: "copyMessage"
                size: 28
                glyph: Icons.copy
                text: qsTr("Copy")
                visible: message.hasText && !message.isStreaming
                onClicked: message.chat.copyMessage(message.messageId)
            }
            IconButton {
                objectName: "regenerate"
                size: 28
                glyph: Icons.again
                text: qsTr("Answer again")
                visible: message.isLast && !message.isStreaming
                enabled: !message.chat.isAnswering
                onClicked: message.chat.regenerate()
            }
            AppText {
                Layout.leftMargin: Theme.gap1
                kind: "small"
                color: Theme.faint
                visible: !message.isStreaming
                text: message.footText
            }
        }
    }
}
