// Meter: how much of something is used, or how far something is.
import QtQuick

Rectangle {
    id: meter
    property real value: 0  // 0..1
    property color fill: Theme.accent
    property string label: ""

    implicitHeight: 6
    implicitWidth: 120
    radius: height / 2
    color: Theme.dark ? Theme.pressed : Theme.hover
    Accessible.role: Accessible.ProgressBar
    Accessible.name: label
    Accessible.description: Math.round(value * 100) + " %"

    Rectangle {
        width: Math.max(parent.height, parent.width * Math.min(1, Math.max(0, meter.value)))
        height: parent.height
        radius: height / 2
        color: meter.fill
        visible: meter.value > 0
        Behavior on width { NumberAnimation { duration: Theme.quick } }
    }
}
