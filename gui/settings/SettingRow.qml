// SettingRow: a label and what it sets.
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
    RowLayout {
        id: holder
        Layout.fillWidth: true
    }
}
