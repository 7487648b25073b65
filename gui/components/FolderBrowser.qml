// FolderBrowser: one folder of this machine, looked through: up, common places, what is in it. Names are plain text.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: browser
    property bool wantsFile: true
    property alias folder: files.folder
    property alias patterns: files.patterns
    property string chosen: ""  // of the list
    readonly property FolderModel model: FolderModel {
        id: files
        wantsFiles: browser.wantsFile
        onChanged: list.currentIndex = -1
    }
    signal fileTaken(string path)

    function begin(path: string) {
        files.folder = path
        chosen = ""
        list.forceActiveFocus()
    }
    function take(path: string, isFolder: bool) {
        if (!isFolder)
            return fileTaken(path)
        files.folder = path
        chosen = ""
    }

    spacing: Theme.gap3

    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.gap2
        IconButton {
            objectName: browser.objectName + "Up"
            glyph: Icons.up
            text: qsTr("One folder up")
            enabled: files.folder !== "/"
            onClicked: files.up()
        }
        AppText {
            objectName: browser.objectName + "Folder"
            Layout.fillWidth: true
            text: files.folder
            elide: Text.ElideMiddle
            wrapMode: Text.NoWrap
        }
    }
    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.gap3
        ColumnLayout {
            Layout.alignment: Qt.AlignTop
            Layout.preferredWidth: 140
            Layout.maximumWidth: 140
            spacing: 2
            Repeater {
                model: files.places
                delegate: AppButton {
                    required property var modelData
                    Layout.fillWidth: true
                    kind: "quiet"
                    implicitHeight: 32
                    leftPadding: Theme.gap2
                    rightPadding: Theme.gap2
                    text: modelData.label
                    onClicked: files.folder = modelData.path
                }
            }
        }
        Rectangle {
            Layout.fillWidth: true
            implicitHeight: 260
            radius: Theme.controlRadius
            color: Theme.sunken
            border.color: list.activeFocus ? Theme.accent : Theme.controlBorder
            ListView {
                id: list
                objectName: browser.objectName + "List"
                anchors.fill: parent
                anchors.margins: 2
                clip: true
                focus: true
                activeFocusOnTab: true
                keyNavigationEnabled: true
                model: files
                currentIndex: -1
                boundsBehavior: Flickable.StopAtBounds
                Accessible.role: Accessible.List
                Accessible.name: files.folder
                ScrollBar.vertical: AppScrollBar {}
                delegate: FolderEntry {
                    width: list.width
                    onClicked: {
                        list.currentIndex = index
                        browser.chosen = isFolder && browser.wantsFile ? "" : path
                    }
                    onTaken: browser.take(path, isFolder)
                }
            }
            AppText {
                anchors.centerIn: parent
                width: parent.width - 2 * Theme.gap4
                horizontalAlignment: Text.AlignHCenter
                kind: "muted"
                visible: list.count === 0
                text: files.problem !== "" ? files.problem : browser.wantsFile ? qsTr("Nothing here that fits.") : qsTr("No folders here.")
            }
        }
    }
    AppText {
        Layout.fillWidth: true
        kind: "small"
        visible: browser.wantsFile && files.patternText !== ""
        text: qsTr("Shown: %1").arg(files.patternText)
    }
}
