// ChatHeader: the conversation's title and which model answers.
import QtQuick
import QtQuick.Layouts
import Hearth

Item {
    id: header
    required property Chat chat

    implicitHeight: 60

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.gap5
        anchors.rightMargin: Theme.gap5
        spacing: Theme.gap3
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
            label: qsTr("Model that answers")
            model: header.chat.modelNames
            currentIndex: header.chat.modelIndex
            enabled: !header.chat.isAnswering
            onActivated: index => header.chat.model = header.chat.modelNames[index]
        }
    }
    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: 1
        color: Theme.border
    }
}
