// FolderEntry: a file or a folder in a FolderBrowser's list.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ItemDelegate {
    id: entry
    required property int index
    required property string name
    required property string path
    required property bool isFolder
    required property string detail
    signal taken()

    objectName: "entry:" + name
    implicitHeight: 34
    leftPadding: Theme.gap2
    rightPadding: Theme.gap3
    text: name
    highlighted: ListView.isCurrentItem
    Accessible.name: name
    Accessible.description: isFolder ? qsTr("Folder") : detail
    onDoubleClicked: taken()
    Keys.onReturnPressed: taken()
    contentItem: RowLayout {
        spacing: Theme.gap2
        AppIcon {
            glyph: entry.isFolder ? Icons.folder : Icons.file
            size: 17
            color: Theme.muted
        }
        AppText {
            Layout.fillWidth: true
            text: entry.name
            elide: Text.ElideMiddle
            wrapMode: Text.NoWrap
        }
        AppText {
            kind: "small"
            text: entry.detail
            wrapMode: Text.NoWrap
        }
    }
    background: Rectangle {
        radius: 6
        color: entry.highlighted ? Theme.accentSoft : entry.hovered ? Theme.hover : "transparent"
    }
}
