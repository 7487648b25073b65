// PathField: a path that is typed or chosen. Browsing is offered only where the path is on this machine.
import QtQuick
import QtQuick.Layouts

RowLayout {
    id: row
    property alias text: field.text
    property alias placeholder: field.hint
    property alias label: field.label
    property bool wantsFile: false
    property bool canBrowse: true
    property alias patterns: chooser.patterns
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
        objectName: row.objectName + "Browse"
        onClicked: chooser.show(field.text)
    }
    FileChooser {
        id: chooser
        objectName: row.objectName + "Chooser"
        wantsFile: row.wantsFile
        onPathChosen: path => {
            field.text = path
            row.accepted()
        }
    }
}
