// ShortcutText: keys to press.
import QtQuick
import Hearth

Rectangle {
    property alias keys: label.text

    implicitWidth: label.implicitWidth + 2 * Theme.gap2
    implicitHeight: 26
    radius: 6
    color: Theme.hover
    AppText {
        id: label
        anchors.centerIn: parent
        font.pixelSize: Theme.small
        wrapMode: Text.NoWrap
    }
}
