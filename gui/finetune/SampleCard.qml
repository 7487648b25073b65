// SampleCard: a question that the training never saw, answered before and after it.
import QtQuick
import QtQuick.Layouts
import Hearth

Card {
    id: card
    required property string prompt
    required property string before
    required property string after
    required property string expected

    AppText { Layout.fillWidth: true; text: card.prompt; font.bold: true }
    RowLayout {
        spacing: Theme.gap4
        Repeater {
            model: [[qsTr("Before"), card.before], [qsTr("After"), card.after], [qsTr("In the data"), card.expected]]
            delegate: ColumnLayout {
                id: answer
                required property var modelData
                required property int index
                Layout.fillWidth: true
                Layout.preferredWidth: 100
                Layout.alignment: Qt.AlignTop
                spacing: Theme.gap1
                AppText { kind: "small"; text: answer.modelData[0]; color: answer.index === 1 ? Theme.accent : Theme.muted }
                AppText {
                    Layout.fillWidth: true
                    text: answer.modelData[1]
                    color: answer.index === 0 ? Theme.muted : Theme.text
                }
            }
        }
    }
}
