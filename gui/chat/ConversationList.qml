// ConversationList: search, new chat, and the kept conversations.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

Item {
    id: root
    required property Chat chat
    signal chosen()

    ColumnLayout {
        anchors.fill: parent
        anchors.margins: Theme.gap3
        spacing: Theme.gap2

        AppButton {
            objectName: "newChat"
            Layout.fillWidth: true
            text: qsTr("New chat")
            glyph: Icons.plus
            onClicked: {
                root.chat.startNew()
                root.chosen()
            }
        }
        AppTextField {
            objectName: "searchChats"
            Layout.fillWidth: true
            hint: qsTr("Search")
            label: qsTr("Search in conversations")
            glyph: Icons.search
            onTextChanged: root.chat.conversations.filter = text
        }
        ListView {
            id: list
            objectName: "conversations"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            spacing: 2
            model: root.chat.conversations
            activeFocusOnTab: count > 0
            keyNavigationEnabled: true
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Conversations")
            ScrollBar.vertical: AppScrollBar {}

            delegate: ConversationDelegate {
                width: list.width
                current: conversationId === root.chat.conversationId
                focused: list.activeFocus && ListView.isCurrentItem
                onOpened: {
                    root.chat.open(conversationId)
                    root.chosen()
                }
                onRemovalWanted: {
                    removeDialog.conversationId = conversationId
                    removeDialog.open()
                }
                onRenamingWanted: {
                    renameDialog.conversationId = conversationId
                    renameField.text = title
                    renameDialog.open()
                }
            }
        }
        AppText {
            Layout.fillWidth: true
            visible: list.count === 0
            kind: "small"
            horizontalAlignment: Text.AlignHCenter
            text: root.chat.conversations.filter === "" ? qsTr("Conversations are kept here.")
                : root.chat.conversations.isSearching ? qsTr("Searching…") : qsTr("Nothing found.")
        }
    }

    AppDialog {
        id: removeDialog
        property string conversationId
        objectName: "removeChat"
        title: qsTr("Delete this conversation?")
        acceptText: qsTr("Delete")
        acceptKind: "danger"
        AppText {
            width: parent.width
            text: qsTr("It is removed from this machine. This cannot be undone.")
        }
        onAccepted: root.chat.remove(conversationId)
    }
    AppDialog {
        id: renameDialog
        property string conversationId
        objectName: "renameChat"
        title: qsTr("Rename the conversation")
        acceptText: qsTr("Rename")
        AppTextField {
            id: renameField
            width: parent.width
            focus: true
            label: qsTr("Title")
            onAccepted: renameDialog.accept()
        }
        onAccepted: root.chat.rename(conversationId, renameField.text)
    }
}
