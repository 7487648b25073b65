// PackCard: one pack: where it is, whether it can be trusted, and the button that installs it.
import QtQuick
import QtQuick.Layouts
import Hearth

Card {
    id: card
    required property string packId
    required property string name
    required property string version
    required property string description
    required property string sizeText
    required property string licenseText
    required property string sourceLabel
    required property bool isRemovable
    required property string statusText
    required property string problem
    required property bool isNew
    required property bool isInstalling
    required property real progress
    required property string tone
    signal installWanted()

    objectName: "pack:" + name
    Accessible.role: Accessible.Grouping
    Accessible.name: name

    RowLayout {
        spacing: Theme.gap4
        Rectangle {
            Layout.alignment: Qt.AlignTop
            implicitWidth: 42
            implicitHeight: 42
            radius: 11
            color: Theme.toneSoft(card.tone)
            AppIcon {
                anchors.centerIn: parent
                glyph: card.problem !== "" ? Icons.warning : card.isRemovable ? Icons.usb : Icons.folder
                color: Theme.toneColor(card.tone)
                size: 22
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 3
            RowLayout {
                spacing: Theme.gap3
                AppText { kind: "heading"; text: card.name }
                AppText { kind: "muted"; text: card.version }
                Badge { objectName: "packStatus"; text: card.statusText; tone: card.tone }
                Item { Layout.fillWidth: true }
            }
            AppText { Layout.fillWidth: true; text: card.description; visible: text !== "" }
            AppText {
                Layout.fillWidth: true
                kind: "small"
                text: card.sourceLabel + " · " + card.sizeText + " · " + card.licenseText
            }
            AppText {
                objectName: "packProblem"
                Layout.fillWidth: true
                Layout.topMargin: Theme.gap1
                visible: text !== ""
                color: Theme.bad
                font.pixelSize: 13
                text: card.problem
            }
        }
        AppButton {
            objectName: "install"
            Layout.alignment: Qt.AlignTop
            visible: card.isNew
            kind: "primary"
            glyph: Icons.download
            text: qsTr("Install")
            onClicked: card.installWanted()
        }
    }
    Meter {
        Layout.fillWidth: true
        visible: card.isInstalling
        value: card.progress
        label: card.name
    }
}
