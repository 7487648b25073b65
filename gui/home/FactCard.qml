// FactCard: one fact about the box, with a meter where it is about how full something is.
import QtQuick
import QtQuick.Layouts
import Hearth

Card {
    id: card
    required property string glyph
    required property string label
    required property string value
    property bool hasMeter: false
    property real used: 0

    Layout.fillHeight: true
    Layout.preferredWidth: 100
    RowLayout {
        spacing: Theme.gap3
        Rectangle {
            Layout.alignment: Qt.AlignTop
            implicitWidth: 38
            implicitHeight: 38
            radius: 10
            color: Theme.hover
            AppIcon {
                anchors.centerIn: parent
                glyph: card.glyph
                color: Theme.accent
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2
            AppText { kind: "small"; text: card.label }
            AppText { Layout.fillWidth: true; text: card.value }
            Meter {
                Layout.fillWidth: true
                Layout.topMargin: Theme.gap1
                visible: card.hasMeter
                value: card.used
                label: card.label
                fill: card.used > 0.9 ? Theme.bad : Theme.accent
            }
        }
    }
}
