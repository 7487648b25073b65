// SettingRow: a label and what it sets. Not a layout in a layout in a card: see JobRow.qml.
import QtQuick
import QtQuick.Layouts
import Hearth

RowLayout {
    id: row
    required property string label
    default property alias control: holder.data

    Layout.fillWidth: true
    spacing: Theme.gap4
    AppText {
        Layout.preferredWidth: 120
        text: row.label
    }
    Row { id: holder }
    Item { Layout.fillWidth: true }
}
