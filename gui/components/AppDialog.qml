// AppDialog: a question in the middle of the window; Escape says no.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import QtQuick.Templates as T

Dialog {
    id: dialog
    property string acceptText: qsTr("OK")
    property string acceptKind: "primary"
    property bool acceptEnabled: true

    parent: T.Overlay.overlay
    anchors.centerIn: parent
    modal: true
    focus: true
    padding: Theme.gap5
    width: 460
    closePolicy: Popup.CloseOnEscape

    T.Overlay.modal: Rectangle { color: Theme.shade }
    background: Rectangle {
        radius: Theme.cardRadius
        color: Theme.card
        border.color: Theme.border
    }
    header: AppText {
        kind: "heading"
        font.pixelSize: 18
        text: dialog.title
        leftPadding: Theme.gap5
        rightPadding: Theme.gap5
        topPadding: Theme.gap5
    }
    footer: RowLayout {
        spacing: Theme.gap2
        Item { Layout.fillWidth: true }
        AppButton {
            objectName: dialog.objectName + "Cancel"
            text: qsTr("Cancel")
            Layout.bottomMargin: Theme.gap5
            onClicked: dialog.reject()
        }
        AppButton {
            objectName: dialog.objectName + "Accept"
            text: dialog.acceptText
            kind: dialog.acceptKind
            enabled: dialog.acceptEnabled
            Layout.bottomMargin: Theme.gap5
            Layout.rightMargin: Theme.gap5
            onClicked: dialog.accept()
        }
    }
}
