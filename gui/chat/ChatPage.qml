// Chat: conversations at the left, the open one at the right. In a narrow window the list is behind a button.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

FocusScope {
    id: page
    required property Chat chat
    readonly property bool isNarrow: width < 640
    signal pageRequested(string name)

    function focusInput() { composer.focusInput() }

    objectName: "chatPage"
    onIsNarrowChanged: listDrawer.close()
    // Typing goes to the message, wherever the keyboard was.
    Keys.onPressed: event => {
        const isText = event.text.length > 0 && event.text.charCodeAt(0) >= 32 && event.text.charCodeAt(0) !== 127
        if (!isText || (event.modifiers & (Qt.ControlModifier | Qt.AltModifier | Qt.MetaModifier)))
            return
        composer.insert(event.text)
        event.accepted = true
    }
    Keys.onEscapePressed: page.chat.stop()

    RowLayout {
        anchors.fill: parent
        spacing: 0

        Loader {
            Layout.fillHeight: true
            Layout.preferredWidth: 232
            active: !page.isNarrow
            visible: active
            sourceComponent: ConversationList {
                chat: page.chat
                onChosen: composer.focusInput()
            }
        }
        Rectangle {
            visible: !page.isNarrow
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
                showsListButton: page.isNarrow
                onListWanted: listDrawer.open()
                onSamplingWanted: samplingDialog.show()
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
                maxInputHeight: Math.max(24, page.height / 3)
                onPageRequested: name => page.pageRequested(name)
            }
        }
    }

    Popup {
        id: listDrawer
        objectName: "conversationDrawer"
        width: Math.min(280, page.width - Theme.gap6)
        height: page.height
        padding: 0
        modal: true
        focus: true
        background: Rectangle {
            color: Theme.window
            border.color: Theme.border
        }
        contentItem: Loader {
            active: listDrawer.visible
            sourceComponent: ConversationList {
                chat: page.chat
                onChosen: {
                    listDrawer.close()
                    composer.focusInput()
                }
            }
        }
    }
    LinkDialog { chat: page.chat }
    SamplingDialog {
        id: samplingDialog
        chat: page.chat
        onClosed: composer.focusInput()
    }
}
