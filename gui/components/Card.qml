// Card: a rounded surface with its content in a column. The column's height comes from its content alone: bound to the
// card's height, which follows from the column's, wrapped text could lay itself out in circles.
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
        x: card.padding
        y: card.padding
        width: card.width - 2 * card.padding
        spacing: Theme.gap3
    }
}
