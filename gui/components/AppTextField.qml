// AppTextField: one line of input. Its accessible name is the placeholder unless it has a label.
import QtQuick
import QtQuick.Controls.Basic

TextField {
    id: field
    property string label: ""
    property string glyph: ""

    implicitHeight: Theme.controlHeight
    leftPadding: glyph === "" ? Theme.gap3 : 36
    rightPadding: Theme.gap3
    color: Theme.text
    placeholderTextColor: Theme.faint
    selectionColor: Theme.accent
    selectedTextColor: Theme.accentInk
    font.pixelSize: Theme.body
    verticalAlignment: TextInput.AlignVCenter
    selectByMouse: true
    Accessible.name: label === "" ? placeholderText : label

    background: Rectangle {
        radius: Theme.controlRadius
        color: Theme.sunken
        border.width: field.activeFocus ? 2 : 1
        border.color: field.activeFocus ? Theme.accent : Theme.controlBorder
        AppIcon {
            x: Theme.gap3
            anchors.verticalCenter: parent.verticalCenter
            visible: field.glyph !== ""
            glyph: field.glyph
            size: 17
            color: Theme.faint
        }
    }
}
