// SideBar: where one can go, and whether the service answers.
import QtQuick
import QtQuick.Layouts
import Hearth

Rectangle {
    id: bar
    required property Connection connection
    required property int newPacks
    required property string page
    property bool isCompact: false  // icons alone
    signal pageChosen(string name)

    color: Theme.sidebar

    Rectangle {
        anchors.right: parent.right
        width: 1
        height: parent.height
        color: Theme.border
    }

    ColumnLayout {
        anchors.fill: parent
        anchors.margins: bar.isCompact ? Theme.gap2 : Theme.gap3
        spacing: Theme.gap1

        RowLayout {
            Layout.margins: Theme.gap2
            Layout.topMargin: bar.height < 520 ? Theme.gap1 : Theme.gap3
            Layout.bottomMargin: bar.height < 520 ? Theme.gap1 : Theme.gap4
            spacing: Theme.gap2 + 2
            Rectangle {
                implicitWidth: 34
                implicitHeight: 34
                radius: 10
                color: Theme.accent
                AppIcon {
                    anchors.centerIn: parent
                    glyph: Icons.flame
                    filled: true
                    color: Theme.accentInk
                    size: 22
                }
            }
            AppText {
                visible: !bar.isCompact
                text: "Hearth"
                font.pixelSize: 19
                font.bold: true
            }
        }

        NavButton {
            objectName: "navHome"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Home")
            glyph: Icons.home
            current: bar.page === "home"
            onClicked: bar.pageChosen("home")
        }
        NavButton {
            objectName: "navChat"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Chat")
            glyph: Icons.chat
            current: bar.page === "chat"
            onClicked: bar.pageChosen("chat")
        }
        NavButton {
            objectName: "navModels"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Models")
            glyph: Icons.models
            current: bar.page === "models"
            onClicked: bar.pageChosen("models")
        }
        NavButton {
            objectName: "navFinetune"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Fine-tune")
            glyph: Icons.sliders
            current: bar.page === "finetune"
            onClicked: bar.pageChosen("finetune")
        }
        NavButton {
            objectName: "navUpdates"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Updates")
            glyph: Icons.download
            count: bar.newPacks
            current: bar.page === "updates"
            onClicked: bar.pageChosen("updates")
        }
        Item { Layout.fillHeight: true }
        NavButton {
            objectName: "navSettings"
            Layout.fillWidth: true
            isCompact: bar.isCompact
            text: qsTr("Settings")
            glyph: Icons.gear
            current: bar.page === "settings"
            onClicked: bar.pageChosen("settings")
        }
        RowLayout {
            Layout.fillWidth: true
            Layout.margins: bar.isCompact ? Theme.gap2 : Theme.gap3
            Layout.leftMargin: bar.isCompact ? Theme.gap4 + 4 : Theme.gap3
            spacing: Theme.gap2
            Rectangle {
                implicitWidth: 8
                implicitHeight: 8
                radius: 4
                color: bar.connection.isConnected ? Theme.good : bar.connection.isUnreachable ? Theme.bad : Theme.busy
            }
            AppText {
                visible: !bar.isCompact
                Layout.fillWidth: true
                kind: "small"
                text: bar.connection.stateText
                elide: Text.ElideRight
                wrapMode: Text.NoWrap
            }
        }
    }
}
