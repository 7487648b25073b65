// CommandLine: a command to type in a terminal, with a button that copies it.
import QtQuick
import QtQuick.Layouts

Rectangle {
    id: line
    property string command

    implicitHeight: 40
    radius: Theme.controlRadius
    color: Theme.card

    TextInput {
        id: text
        anchors.left: parent.left
        anchors.right: copyButton.left
        anchors.leftMargin: Theme.gap3
        anchors.verticalCenter: parent.verticalCenter
        readOnly: true
        selectByMouse: true
        text: line.command
        color: Theme.text
        font.family: Theme.mono
        font.pixelSize: 13
        Accessible.name: qsTr("Command")
    }
    IconButton {
        id: copyButton
        anchors.right: parent.right
        anchors.rightMargin: 4
        anchors.verticalCenter: parent.verticalCenter
        glyph: Icons.copy
        text: qsTr("Copy")
        onClicked: {
            text.selectAll()
            text.copy()
            text.deselect()
        }
    }
}
