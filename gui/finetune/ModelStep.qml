// ModelStep: which model learns.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: step
    required property FineTune fineTune

    spacing: Theme.gap3
    AppText { kind: "heading"; text: qsTr("Which model should learn?") }
    Repeater {
        id: modelRows
        model: step.fineTune.models
        delegate: ChoiceCard {
            required property string name
            required property string description
            required property string fitText
            required property string fitVerdict
            required facts
            objectName: "baseModel:" + name
            title: name
            detail: description
            note: fitText
            noteTone: fitVerdict === "fits" ? "good" : fitVerdict === "tight" ? "busy" : "bad"
            checked: step.fineTune.model === name
            onClicked: step.fineTune.model = name
        }
    }
    AppText {
        visible: modelRows.count === 0
        kind: "muted"
        text: qsTr("There is no model to train. Install one first.")
    }
}
