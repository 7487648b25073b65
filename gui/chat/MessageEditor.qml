// MessageEditor: a question being rewritten in place.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: editor
    signal accepted(string text)
    signal rejected()

    function begin(text: string) {
        area.text = text
        area.forceActiveFocus()
        area.cursorPosition = area.length
    }

    spacing: Theme.gap2

    TextArea {
        id: area
        objectName: "editText"
        Layout.fillWidth: true
        padding: Theme.gap3
        wrapMode: TextEdit.Wrap
        textFormat: TextEdit.PlainText
        color: Theme.text
        selectionColor: Theme.accent
        selectedTextColor: Theme.accentInk
        font.pixelSize: Theme.body
        Accessible.name: qsTr("Your message")
        Keys.onEscapePressed: editor.rejected()
        Keys.onReturnPressed: event => {
            if (event.modifiers & Qt.ShiftModifier)
                event.accepted = false
            else
                editor.accepted(area.text)
        }
        background: Rectangle {
            radius: Theme.cardRadius
            color: Theme.card
            border.width: 2
            border.color: Theme.accent
        }
    }
    RowLayout {
        Layout.alignment: Qt.AlignRight
        spacing: Theme.gap2
        AppButton { text: qsTr("Cancel"); onClicked: editor.rejected() }
        AppButton {
            objectName: "resend"
            kind: "primary"
            text: qsTr("Ask again")
            onClicked: editor.accepted(area.text)
        }
    }
}
