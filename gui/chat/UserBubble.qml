// UserBubble: what the person wrote, as it was written.
import QtQuick
import Hearth

Rectangle {
    id: bubble
    property alias text: words.text

    implicitWidth: words.implicitWidth + 2 * Theme.gap4
    implicitHeight: words.implicitHeight + 2 * Theme.gap3
    radius: Theme.cardRadius
    color: Theme.accentSoft

    TextEdit {
        id: words
        anchors.fill: parent
        anchors.leftMargin: Theme.gap4
        anchors.rightMargin: Theme.gap4
        anchors.topMargin: Theme.gap3
        anchors.bottomMargin: Theme.gap3
        readOnly: true
        selectByMouse: true
        textFormat: TextEdit.PlainText
        wrapMode: TextEdit.Wrap
        color: Theme.text
        selectionColor: Theme.accent
        selectedTextColor: Theme.accentInk
        font.pixelSize: Theme.body
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }
}
