// LinkDialog: shows where a link of an answer leads before anything is opened.
import QtQuick
import QtQuick.Layouts
import Hearth

AppDialog {
    id: dialog
    required property Chat chat

    objectName: "openLink"
    title: qsTr("Open this link?")
    acceptText: qsTr("Open")
    width: Math.min(560, maxWidth)
    onAccepted: chat.openAskedLink()
    onRejected: chat.dropAskedLink()

    Connections {
        target: dialog.chat
        function onLinkChanged() {
            if (dialog.chat.linkUrl !== "")
                dialog.open()
        }
    }

    ColumnLayout {
        width: parent.width
        spacing: Theme.gap3
        AppText {
            Layout.fillWidth: true
            text: qsTr("A model wrote this link. It leads out of this box, to:")
        }
        AppText {
            objectName: "linkDestination"
            Layout.fillWidth: true
            kind: "heading"
            text: dialog.chat.linkDestination
            wrapMode: Text.WrapAnywhere
        }
        AppText {
            objectName: "linkUrl"
            Layout.fillWidth: true
            kind: "muted"
            text: dialog.chat.linkUrl
            font.family: Theme.mono
            wrapMode: Text.WrapAnywhere
            maximumLineCount: 12
            elide: Text.ElideRight
        }
    }
}
