// PathField: a path that is typed or chosen. Browsing is offered only where the path is on this machine.
import QtQuick
import QtQuick.Dialogs
import QtQuick.Layouts

RowLayout {
    id: row
    property alias text: field.text
    property alias placeholder: field.placeholderText
    property alias label: field.label
    property bool wantsFile: false
    property bool canBrowse: true
    property alias nameFilters: fileDialog.nameFilters
    signal accepted()

    function clear() { field.clear() }
    function focusField() { field.forceActiveFocus() }

    spacing: Theme.gap2
    Layout.fillWidth: true

    AppTextField {
        id: field
        objectName: row.objectName + "Text"
        Layout.fillWidth: true
        onAccepted: row.accepted()
    }
    AppButton {
        visible: row.canBrowse
        text: qsTr("Browse…")
        glyph: Icons.folder
        onClicked: row.wantsFile ? fileDialog.open() : folderDialog.open()
    }
    FileDialog {
        id: fileDialog
        onAccepted: {
            field.text = `${selectedFile}`
            row.accepted()
        }
    }
    FolderDialog {
        id: folderDialog
        onAccepted: {
            field.text = `${selectedFolder}`
            row.accepted()
        }
    }
}
