// FileChooser: a file or a folder of this machine, chosen by looking. The same on every desktop, in the theme and in words
// of Hearth; names are plain text.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

// The linter of Qt 6.4 does not know that a Popup's default property takes objects, and loses their ids with it.
// qmllint disable

AppDialog {
    id: dialog
    property bool wantsFile: true
    property alias patterns: files.patterns
    property string chosen: ""  // of the list
    signal pathChosen(string path)

    function show(path: string) {
        files.folder = path
        chosen = ""
        open()
        list.forceActiveFocus()
    }
    function take(path: string, isFolder: bool) {
        if (isFolder) {
            files.folder = path
            chosen = ""
        } else {
            finish(path)
        }
    }
    function finish(path: string) {
        close()
        pathChosen(path)
    }

    title: wantsFile ? qsTr("Choose a file") : qsTr("Choose a folder")
    acceptText: qsTr("Choose")
    acceptEnabled: !wantsFile || chosen !== ""
    closesOnAccept: false
    width: Math.min(640, maxWidth)
    onAcceptWanted: finish(chosen !== "" ? chosen : files.folder)

    FolderModel {
        id: files
        wantsFiles: dialog.wantsFile
        onChanged: list.currentIndex = -1
    }

    ColumnLayout {
        width: parent.width
        spacing: Theme.gap3
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap2
            IconButton {
                objectName: dialog.objectName + "Up"
                glyph: Icons.up
                text: qsTr("One folder up")
                enabled: files.folder !== "/"
                onClicked: files.up()
            }
            AppText {
                objectName: dialog.objectName + "Folder"
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
                    objectName: dialog.objectName + "List"
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
                    delegate: ItemDelegate {
                        id: entry
                        required property int index
                        required property string name
                        required property string path
                        required property bool isFolder
                        required property string detail
                        objectName: "entry:" + name
                        width: list.width
                        implicitHeight: 34
                        leftPadding: Theme.gap2
                        rightPadding: Theme.gap3
                        text: name
                        highlighted: ListView.isCurrentItem
                        Accessible.name: name
                        Accessible.description: isFolder ? qsTr("Folder") : detail
                        onClicked: {
                            list.currentIndex = index
                            dialog.chosen = isFolder && dialog.wantsFile ? "" : path
                        }
                        onDoubleClicked: dialog.take(path, isFolder)
                        Keys.onReturnPressed: dialog.take(path, isFolder)
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
                }
                AppText {
                    anchors.centerIn: parent
                    width: parent.width - 2 * Theme.gap4
                    horizontalAlignment: Text.AlignHCenter
                    kind: "muted"
                    visible: list.count === 0
                    text: files.problem !== "" ? files.problem : dialog.wantsFile ? qsTr("Nothing here that fits.") : qsTr("No folders here.")
                }
            }
        }
        AppText {
            Layout.fillWidth: true
            kind: "small"
            visible: dialog.wantsFile && files.patterns.length > 0
            text: qsTr("Shown: %1").arg(files.patterns.join("  "))
        }
    }
}
