// AppTextField: one line of input. Its accessible name is the hint unless it has a label.
import QtQuick
import QtQuick.Controls.Basic

TextField {
    id: field
    property string label: ""
    // Drawn here, in plain text: the style's own would read a name with tags in it as rich text.
    property string hint: ""
    property string glyph: ""

    implicitHeight: Theme.controlHeight
    leftPadding: glyph === "" ? Theme.gap3 : 36
    rightPadding: Theme.gap3
    color: Theme.text
    selectionColor: Theme.accent
    selectedTextColor: Theme.accentInk
    font.pixelSize: Theme.body
    verticalAlignment: TextInput.AlignVCenter
    selectByMouse: true
    Accessible.name: label === "" ? hint : label

    AppText {
        anchors.fill: parent
        leftPadding: field.leftPadding
        rightPadding: field.rightPadding
        verticalAlignment: Text.AlignVCenter
        visible: field.text === "" && field.preeditText === ""
        text: field.hint
        color: Theme.faint
        elide: Text.ElideRight
        wrapMode: Text.NoWrap
        Accessible.ignored: true
    }

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
