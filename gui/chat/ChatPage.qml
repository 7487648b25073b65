// Chat: conversations at the left, the open one at the right.
import QtQuick
import QtQuick.Layouts
import Hearth

FocusScope {
    id: page
    required property Chat chat
    signal pageRequested(string name)

    objectName: "chatPage"

    RowLayout {
        anchors.fill: parent
        spacing: 0

        ConversationList {
            Layout.fillHeight: true
            Layout.preferredWidth: 232
            chat: page.chat
            onChosen: composer.focusInput()
        }
        Rectangle {
            Layout.fillHeight: true
            implicitWidth: 1
            color: Theme.border
        }
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            spacing: 0

            ChatHeader {
                Layout.fillWidth: true
                chat: page.chat
            }
            Notice {
                Layout.leftMargin: Theme.gap5
                Layout.rightMargin: Theme.gap5
                text: page.chat.problem
            }
            Item {
                Layout.fillWidth: true
                Layout.fillHeight: true
                MessageView {
                    anchors.fill: parent
                    id: messageView
                    visible: count > 0
                    chat: page.chat
                }
                ChatWelcome {
                    anchors.fill: parent
                    visible: messageView.count === 0
                    chat: page.chat
                    onSuggested: text => composer.propose(text)
                }
            }
            Composer {
                id: composer
                Layout.fillWidth: true
                focus: true
                chat: page.chat
                onPageRequested: name => page.pageRequested(name)
            }
        }
    }
}
