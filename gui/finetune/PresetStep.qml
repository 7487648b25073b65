// PresetStep: how thorough, and what that will cost, before anything runs.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: step
    required property FineTune fineTune

    spacing: Theme.gap3
    AppText { kind: "heading"; text: qsTr("How thorough should it be?") }
    Repeater {
        model: step.fineTune.presets
        delegate: ChoiceCard {
            required property string presetId
            required property string description
            required title
            required facts
            objectName: "preset:" + presetId
            detail: description
            checked: step.fineTune.preset === presetId
            onClicked: step.fineTune.preset = presetId
        }
    }
    Card {
        AppText { kind: "heading"; text: qsTr("What to expect") }
        AppText {
            visible: !step.fineTune.hasEstimate
            kind: "muted"
            objectName: "estimateMissing"
            text: step.fineTune.estimateMissing
        }
        GridLayout {
            visible: step.fineTune.hasEstimate
            columns: 2
            columnSpacing: Theme.gap5
            rowSpacing: Theme.gap2
            AppText { kind: "muted"; text: qsTr("Time") }
            AppText { objectName: "estimateTime"; Layout.fillWidth: true; font.bold: true; text: step.fineTune.estimateTime }
            AppText { kind: "muted"; text: qsTr("Memory") }
            AppText { Layout.fillWidth: true; font.bold: true; text: step.fineTune.estimateMemory }
            AppText { kind: "muted"; text: qsTr("Work") }
            AppText { Layout.fillWidth: true; text: step.fineTune.estimateSteps }
            AppText { kind: "muted"; text: qsTr("Trained on") }
            AppText { objectName: "estimateSplit"; Layout.fillWidth: true; text: step.fineTune.estimateSplit }
            AppText { kind: "muted"; text: qsTr("Lengths") }
            AppText {
                objectName: "estimateLengths"
                Layout.fillWidth: true
                text: step.fineTune.estimateLengths
                color: step.fineTune.estimateLeavesOut ? Theme.bad : Theme.text
            }
        }
        RowLayout {
            visible: step.fineTune.hasEstimate
            spacing: Theme.gap2
            AppIcon {
                glyph: step.fineTune.estimateFits ? Icons.check : Icons.warning
                color: step.fineTune.estimateFits ? Theme.good : Theme.bad
                size: 18
            }
            AppText { Layout.fillWidth: true; kind: "small"; text: step.fineTune.estimateNote }
        }
    }
    ColumnLayout {
        visible: step.fineTune.mayChooseOverlong
        spacing: Theme.gap3
        AppText { Layout.topMargin: Theme.gap2; kind: "heading"; text: qsTr("What about examples that are too long?") }
        AppText {
            objectName: "overlongCount"
            Layout.fillWidth: true
            visible: text !== ""
            text: step.fineTune.overlongCount
        }
        ChoiceCard {
            objectName: "overlong:drop"
            title: qsTr("Leave them out")
            detail: qsTr("They are not learned from.")
            checked: step.fineTune.overlong === "drop"
            onClicked: step.fineTune.overlong = "drop"
        }
        ChoiceCard {
            objectName: "overlong:truncate"
            title: qsTr("Keep their end")
            detail: qsTr("They lose their beginning, so that the answer stays whole. What is left out even so has an answer longer than a row.")
            checked: step.fineTune.overlong === "truncate"
            onClicked: step.fineTune.overlong = "truncate"
        }
        ChoiceCard {
            objectName: "overlong:refuse"
            title: qsTr("Refuse to train")
            detail: qsTr("Training starts only when every example fits; the first that does not is named.")
            checked: step.fineTune.overlong === "refuse"
            onClicked: step.fineTune.overlong = "refuse"
        }
        Notice {
            objectName: "overlongRefusal"
            text: step.fineTune.overlongRefusal
        }
    }
    Card {
        AppText { kind: "heading"; text: qsTr("Name of the new model") }
        AppTextField {
            objectName: "resultName"
            Layout.fillWidth: true
            label: qsTr("Name of the new model")
            hint: qsTr("Left empty: derived from the model and the data")
            text: step.fineTune.resultName
            onTextEdited: step.fineTune.resultName = text
        }
    }
}
