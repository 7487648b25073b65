// Composer: where a message is written. Return sends, Shift+Return breaks the line, Escape stops the answer.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

FocusScope {
    id: composer
    required property Chat chat
    property real maxInputHeight: 160
    signal pageRequested(string name)

    function focusInput() { input.forceActiveFocus() }
    function propose(text: string) {
        input.text = text
        if (!send())
            focusInput()
    }
    // What was typed while nothing had the keyboard.
    function insert(text: string) {
        focusInput()
        input.insert(input.cursorPosition, text)
    }
    function send(): bool {
        if (!chat.send(input.text))
            return false
        input.clear()
        return true
    }

    implicitHeight: column.implicitHeight + Theme.gap4

    ColumnLayout {
        id: column
        x: (parent.width - width) / 2
        width: Math.min(808, parent.width - 2 * Theme.gap4)
        spacing: Theme.gap2

        Notice {
            objectName: "obstacle"
            tone: "busy"
            text: composer.chat.obstacle
            actionText: composer.chat.obstaclePage === "models" ? qsTr("Go to Models")
                      : composer.chat.obstaclePage === "home" ? qsTr("Go to Home") : ""
            onAction: composer.pageRequested(composer.chat.obstaclePage)
        }
        Rectangle {
            Layout.fillWidth: true
            implicitHeight: row.implicitHeight + 2 * Theme.gap2
            radius: 20
            color: Theme.card
            border.width: input.activeFocus ? 2 : 1
            border.color: input.activeFocus ? Theme.accent : Theme.controlBorder

            RowLayout {
                id: row
                anchors.fill: parent
                anchors.margins: Theme.gap2
                anchors.leftMargin: Theme.gap3
                spacing: Theme.gap2
                ScrollView {
                    Layout.fillWidth: true
                    Layout.preferredHeight: Math.min(input.implicitHeight, 160, composer.maxInputHeight)
                    ScrollBar.horizontal.policy: ScrollBar.AlwaysOff
                    TextArea {
                        id: input
                        objectName: "messageInput"
                        focus: true
                        wrapMode: TextEdit.Wrap
                        textFormat: TextEdit.PlainText
                        color: Theme.text
                        selectionColor: Theme.accent
                        selectedTextColor: Theme.accentInk
                        font.pixelSize: 15
                        background: null
                        Accessible.name: qsTr("Your message")

                        AppText {
                            x: input.leftPadding
                            y: input.topPadding
                            visible: input.length === 0 && input.preeditText === ""
                            text: qsTr("Write a message")
                            color: Theme.faint
                            font.pixelSize: 15
                            Accessible.ignored: true
                        }
                        Keys.onReturnPressed: event => {
                            if (event.modifiers & Qt.ShiftModifier)
                                event.accepted = false
                            else
                                composer.send()
                        }
                        Keys.onEscapePressed: composer.chat.stop()
                        // Tab goes on, also while nothing can be sent; it writes nothing.
                        Keys.onTabPressed: nextItemInFocusChain(true).forceActiveFocus(Qt.TabFocusReason)
                        Keys.onBacktabPressed: nextItemInFocusChain(false).forceActiveFocus(Qt.BacktabFocusReason)
                    }
                }
                IconButton {
                    id: sendButton
                    objectName: composer.chat.isAnswering ? "stopButton" : "sendButton"
                    Layout.alignment: Qt.AlignBottom
                    size: 36
                    accent: true
                    filled: composer.chat.isAnswering
                    glyph: composer.chat.isAnswering ? Icons.stop : Icons.arrowUp
                    text: composer.chat.isAnswering ? qsTr("Stop") : qsTr("Send")
                    enabled: composer.chat.isAnswering || (input.text.trim() !== "" && composer.chat.model !== "")
                    onClicked: {
                        if (composer.chat.isAnswering)
                            composer.chat.stop()
                        else
                            composer.send()
                    }
                }
            }
        }
    }
}
