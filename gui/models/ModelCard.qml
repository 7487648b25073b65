// ModelCard: one model: what it is, whether it fits, what it is doing.
import QtQuick
import QtQuick.Layouts
import Hearth

Card {
    id: card
    required property string name
    required property string calledName
    required property string description
    required property string facts
    required property string source
    required property bool isDeployed
    required property bool canDeploy
    required property bool canRemove
    required property bool canChat
    required property string stateText
    required property string stateDetail
    required property string tone
    required property string fitVerdict
    required property string fitText
    required property string fitDetail
    signal deployWanted()
    signal stopWanted()
    signal chatWanted()
    signal exportWanted()
    signal removalWanted()

    objectName: "model:" + name
    Accessible.role: Accessible.Grouping
    Accessible.name: calledName

    RowLayout {
        spacing: Theme.gap4
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 3
            RowLayout {
                spacing: Theme.gap3
                AppText {
                    kind: "heading"
                    objectName: "calledName"
                    text: card.calledName
                    elide: Text.ElideRight
                    wrapMode: Text.NoWrap
                    Layout.maximumWidth: 360
                }
                AppText {
                    objectName: "safeName"
                    visible: card.name !== card.calledName
                    kind: "small"
                    color: Theme.faint
                    text: card.name
                }
                Badge {
                    objectName: "modelState"
                    text: card.stateText
                    tone: card.tone
                }
                Item { Layout.fillWidth: true }
            }
            AppText { Layout.fillWidth: true; text: card.description; visible: text !== "" }
            AppText { Layout.fillWidth: true; kind: "small"; text: card.facts }
            AppText { Layout.fillWidth: true; kind: "small"; color: Theme.faint; text: card.source }
        }
        RowLayout {
            Layout.alignment: Qt.AlignTop
            spacing: Theme.gap2
            AppButton {
                objectName: "chatWith"
                visible: card.canChat
                kind: "primary"
                glyph: Icons.chat
                text: qsTr("Chat")
                onClicked: card.chatWanted()
            }
            AppButton {
                objectName: "deploy"
                visible: !card.isDeployed
                enabled: card.canDeploy
                glyph: Icons.play
                text: qsTr("Start")
                onClicked: card.deployWanted()
            }
            AppButton {
                objectName: "undeploy"
                visible: card.isDeployed
                glyph: Icons.stop
                text: qsTr("Stop")
                onClicked: card.stopWanted()
            }
            IconButton {
                objectName: "exportButton"
                size: Theme.controlHeight
                glyph: Icons.upload
                text: qsTr("Export %1 to a stick or folder…").arg(card.name)
                onClicked: card.exportWanted()
            }
            IconButton {
                objectName: "removeButton"
                size: Theme.controlHeight
                glyph: Icons.trash
                text: card.canRemove ? qsTr("Remove %1").arg(card.name) : qsTr("Stop %1 before removing it").arg(card.name)
                enabled: card.canRemove
                onClicked: card.removalWanted()
            }
        }
    }
    AppText {
        Layout.fillWidth: true
        visible: text !== ""
        kind: "small"
        color: card.tone === "bad" ? Theme.bad : Theme.muted
        text: card.stateDetail
    }
    RowLayout {
        visible: card.fitText !== ""
        spacing: Theme.gap2
        AppIcon {
            Layout.alignment: Qt.AlignTop
            glyph: card.fitVerdict === "too_large" ? Icons.warning : Icons.check
            size: 17
            color: card.fitVerdict === "fits" ? Theme.good : card.fitVerdict === "tight" ? Theme.busy : Theme.bad
        }
        AppText {
            Layout.fillWidth: true
            kind: "small"
            text: card.fitText + " · " + card.fitDetail
        }
    }
}
