// StepBar: where in the wizard one is.
import QtQuick
import QtQuick.Layouts
import Hearth

RowLayout {
    id: bar
    required property int current

    spacing: Theme.gap2
    Accessible.role: Accessible.Grouping
    Accessible.name: qsTr("Step %1 of 4").arg(current + 1)

    Repeater {
        model: [qsTr("Model"), qsTr("Data"), qsTr("Preset"), qsTr("Training")]
        delegate: RowLayout {
            id: step
            required property int index
            required property string modelData
            readonly property bool isDone: index < bar.current
            readonly property bool isCurrent: index === bar.current
            Layout.fillWidth: index < 3
            spacing: Theme.gap2
            Rectangle {
                implicitWidth: 26
                implicitHeight: 26
                radius: 13
                color: step.isCurrent ? Theme.accent : step.isDone ? Theme.accentSoft : Theme.hover
                AppText {
                    anchors.centerIn: parent
                    visible: !step.isDone
                    text: step.index + 1
                    font.pixelSize: 13
                    font.bold: true
                    color: step.isCurrent ? Theme.accentInk : Theme.muted
                }
                AppIcon {
                    anchors.centerIn: parent
                    visible: step.isDone
                    glyph: Icons.check
                    size: 16
                    lineWidth: 2
                    color: Theme.accent
                }
            }
            AppText {
                text: step.modelData
                color: step.isCurrent ? Theme.text : Theme.muted
                font.bold: step.isCurrent
                wrapMode: Text.NoWrap
            }
            Rectangle {
                visible: step.index < 3
                Layout.fillWidth: true
                implicitHeight: 2
                radius: 1
                color: step.isDone ? Theme.accentBorder : Theme.border
            }
        }
    }
}
