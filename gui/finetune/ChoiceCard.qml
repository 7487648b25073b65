// ChoiceCard: one of several to choose from, with a few lines about it.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

RadioButton {
    id: choice
    property string title
    property string detail
    property string facts
    property string note
    property string noteTone: "quiet"

    Layout.fillWidth: true
    padding: Theme.gap4
    text: title
    indicator: null
    Accessible.name: title
    Accessible.description: detail
    Keys.onReturnPressed: choice.clicked()

    contentItem: RowLayout {
        spacing: Theme.gap4
        Rectangle {
            implicitWidth: 20
            implicitHeight: 20
            radius: 10
            color: "transparent"
            border.width: 2
            border.color: choice.checked ? Theme.accent : Theme.controlBorder
            Rectangle {
                anchors.centerIn: parent
                width: 10
                height: 10
                radius: 5
                color: Theme.accent
                visible: choice.checked
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2
            AppText { Layout.fillWidth: true; text: choice.title; font.bold: true }
            AppText { Layout.fillWidth: true; text: choice.detail; visible: text !== "" }
            AppText { Layout.fillWidth: true; kind: "small"; text: choice.facts; visible: text !== "" }
        }
        Badge {
            visible: choice.note !== ""
            text: choice.note
            tone: choice.noteTone
        }
    }
    background: Rectangle {
        radius: Theme.cardRadius
        color: choice.checked ? Theme.accentSoft : choice.hovered ? Theme.hover : Theme.card
        border.width: choice.checked ? 2 : 1
        border.color: choice.checked ? Theme.accent : Theme.border
        FocusRing { shown: choice.visualFocus; radius: Theme.cardRadius + 3 }
    }
}
