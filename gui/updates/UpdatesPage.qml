// Updates: packs on sticks and in folders, checked before anything is installed.
import QtQuick
import QtQuick.Layouts
import Hearth

PageFrame {
    id: page
    required property Updates updates
    required property ModelLibrary library
    required property bool isLocal
    signal pageRequested(string name)

    objectName: "updatesPage"
    title: qsTr("Updates")
    subtitle: updates.summary
    actions: [
        AppButton {
            objectName: "refreshSources"
            glyph: Icons.again
            text: qsTr("Look again")
            onClicked: page.updates.refresh()
        }
    ]

    Notice {
        objectName: "updatesProblem"
        text: page.updates.problem
        closable: true
        onClosed: page.updates.dismiss()
    }
    Notice {
        objectName: "updatesSuccess"
        tone: "good"
        text: page.updates.success
        actionText: qsTr("Start it")
        closable: true
        onClosed: page.updates.dismiss()
        onAction: {
            page.library.deploy(page.updates.installedModel)
            page.updates.dismiss()
            page.pageRequested("models")
        }
    }

    Repeater {
        id: packRows
        model: page.updates.packs
        delegate: PackCard {
            onInstallWanted: page.updates.install(packId)
        }
    }

    Card {
        visible: packRows.count === 0
        padding: Theme.gap6
        AppIcon { Layout.alignment: Qt.AlignHCenter; glyph: Icons.usb; size: 40; color: Theme.faint }
        AppText { Layout.alignment: Qt.AlignHCenter; kind: "heading"; text: qsTr("Plug in a stick with model packs") }
        AppText {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            kind: "muted"
            text: qsTr("It is found by itself. No internet is needed: every pack carries a signature that this box checks.")
        }
    }

    Card {
        AppText { kind: "heading"; text: qsTr("Look into a folder") }
        RowLayout {
            spacing: Theme.gap2
            PathField {
                id: folder
                objectName: "scanPath"
                label: qsTr("Folder with packs")
                placeholder: qsTr("/path/to/packs")
                canBrowse: page.isLocal
                onAccepted: page.updates.scan(text)
            }
            AppButton {
                objectName: "scanButton"
                text: qsTr("Look")
                enabled: folder.text.trim() !== "" && !page.updates.isScanning
                onClicked: page.updates.scan(folder.text)
            }
        }
        AppText {
            Layout.fillWidth: true
            visible: page.updates.isScanning
            kind: "small"
            text: qsTr("Checking signatures and checksums…")
        }
    }
}
