// ChoiceRow: one of a few values, all in sight.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

Rectangle {
    id: row
    required property string label
    required property list<string> values
    required property list<string> labels
    required property string current
    signal chosen(string value)

    implicitWidth: buttons.implicitWidth + 6
    implicitHeight: Theme.controlHeight + 4
    radius: Theme.controlRadius + 2
    color: Theme.hover
    Accessible.role: Accessible.Grouping
    Accessible.name: label

    RowLayout {
        id: buttons
        anchors.centerIn: parent
        spacing: 2
        Repeater {
            model: row.values
            delegate: RadioButton {
                id: option
                required property int index
                required property string modelData
                objectName: row.objectName + ":" + modelData
                implicitHeight: Theme.controlHeight - 2
                leftPadding: Theme.gap4
                rightPadding: Theme.gap4
                text: row.labels[index]
                checked: row.current === modelData
                indicator: null
                Accessible.name: text
                onClicked: row.chosen(modelData)
                contentItem: AppText {
                    text: option.text
                    color: option.checked ? Theme.text : Theme.muted
                    font.bold: option.checked
                    horizontalAlignment: Text.AlignHCenter
                    verticalAlignment: Text.AlignVCenter
                    wrapMode: Text.NoWrap
                }
                background: Rectangle {
                    radius: Theme.controlRadius
                    color: option.checked ? Theme.card : option.hovered ? Theme.pressed : "transparent"
                    border.color: option.checked ? Theme.border : "transparent"
                    FocusRing { shown: option.visualFocus }
                }
            }
        }
    }
}
