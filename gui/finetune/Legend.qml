// Legend: what a colour of the curve means.
import QtQuick
import Hearth

Row {
    id: legend
    property color color
    property string text

    spacing: 6
    Rectangle {
        anchors.verticalCenter: parent.verticalCenter
        width: 14
        height: 3
        radius: 2
        color: legend.color
    }
    AppText { kind: "small"; text: legend.text }
}
