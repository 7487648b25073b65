// AppDialog: a question in the middle of the window; Escape says no. Never larger than the window: what does not fit scrolls.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import QtQuick.Templates as T

Dialog {
    id: dialog
    property string acceptText: qsTr("OK")
    property string acceptKind: "primary"
    property bool acceptEnabled: true
    property bool closesOnAccept: true  // else acceptWanted() is told, and who hears it closes
    default property alias body: holder.data
    readonly property real maxWidth: parent ? parent.width - 2 * Theme.gap4 : 460
    readonly property real maxHeight: parent ? parent.height - 2 * Theme.gap4 : 460
    signal acceptWanted()

    parent: T.Overlay.overlay
    anchors.centerIn: parent
    modal: true
    focus: true
    padding: Theme.gap5
    width: Math.min(460, maxWidth)
    height: Math.min(implicitHeight, maxHeight)
    closePolicy: Popup.CloseOnEscape

    T.Overlay.modal: Rectangle { color: Theme.shade }
    background: Rectangle {
        radius: Theme.cardRadius
        color: Theme.card
        border.color: Theme.border
    }
    contentItem: Flickable { // qmllint disable
        implicitHeight: holder.childrenRect.height
        contentWidth: width
        contentHeight: holder.childrenRect.height
        clip: contentHeight > height
        interactive: contentHeight > height
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.vertical: AppScrollBar {}
        Item {
            id: holder
            width: parent.width
            height: childrenRect.height
        }
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
            onClicked: {
                if (dialog.closesOnAccept)
                    dialog.accept()
                else
                    dialog.acceptWanted()
            }
        }
    }
}
