// ChatHeader: the conversation's title and which model answers.
import QtQuick
import QtQuick.Layouts
import Hearth

Item {
    id: header
    required property Chat chat
    property bool showsListButton: false
    signal listWanted()
    signal samplingWanted()

    implicitHeight: 60

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.gap5
        anchors.rightMargin: Theme.gap5
        spacing: Theme.gap3
        IconButton {
            objectName: "showConversations"
            visible: header.showsListButton
            glyph: Icons.list
            text: qsTr("Conversations")
            onClicked: header.listWanted()
        }
        AppText {
            objectName: "chatTitle"
            Layout.fillWidth: true
            kind: "heading"
            text: header.chat.title
            elide: Text.ElideRight
            wrapMode: Text.NoWrap
        }
        AppComboBox {
            objectName: "modelPicker"
            visible: header.chat.modelNames.length > 0
            Layout.maximumWidth: header.width * 0.4
            label: qsTr("Model that answers")
            model: header.chat.calledNames
            currentIndex: header.chat.modelIndex
            enabled: !header.chat.isAnswering
            onActivated: index => header.chat.model = header.chat.modelNames[index]
        }
        IconButton {
            objectName: "samplingButton"
            glyph: Icons.sliders
            accent: header.chat.hasSampling
            text: qsTr("How it answers: temperature, longest answer")
            onClicked: header.samplingWanted()
        }
    }
    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: 1
        color: Theme.border
    }
}
