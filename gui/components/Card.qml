// Card: a rounded surface with its content in a column.
import QtQuick
import QtQuick.Layouts

Rectangle {
    id: card
    default property alias content: column.data
    property int padding: Theme.gap4
    property alias spacing: column.spacing

    implicitWidth: column.implicitWidth + 2 * padding
    implicitHeight: column.implicitHeight + 2 * padding
    Layout.fillWidth: true
    radius: Theme.cardRadius
    color: Theme.card
    border.color: Theme.border

    ColumnLayout {
        id: column
        anchors.fill: parent
        anchors.margins: card.padding
        spacing: Theme.gap3
    }
}
