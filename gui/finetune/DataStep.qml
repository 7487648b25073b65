// DataStep: the examples: chosen, checked, and shown as they were understood.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: step
    required property FineTune fineTune

    spacing: Theme.gap3
    AppText { kind: "heading"; text: qsTr("What should it learn from?") }
    Card {
        AppText {
            Layout.fillWidth: true
            kind: "muted"
            text: qsTr("Conversations, questions with answers or instructions as JSON or CSV, or plain text.")
        }
        RowLayout {
            spacing: Theme.gap2
            PathField {
                id: path
                objectName: "dataPath"
                wantsFile: true
                label: qsTr("File with examples")
                placeholder: qsTr("/path/to/examples.jsonl")
                patterns: ["*.jsonl", "*.json", "*.csv", "*.tsv", "*.txt", "*.md", "*.gz", "*.zst"]
                onAccepted: step.fineTune.addData(text)
            }
            AppButton {
                objectName: "dataAdd"
                text: qsTr("Add")
                enabled: path.text.trim() !== "" && !step.fineTune.isUploading
                onClicked: step.fineTune.addData(path.text)
            }
        }
        RowLayout {
            visible: step.fineTune.isUploading
            spacing: Theme.gap3
            AppText {
                kind: "small"
                text: step.fineTune.uploadProgress < 1 ? qsTr("Sending the file: %1 %").arg(Math.floor(step.fineTune.uploadProgress * 100))
                                                       : qsTr("Checking…")
            }
            Meter {
                Layout.fillWidth: true
                value: step.fineTune.uploadProgress
                label: qsTr("Sending the file")
            }
            AppButton {
                objectName: "uploadCancel"
                text: qsTr("Cancel")
                onClicked: step.fineTune.cancelUpload()
            }
        }
    }
    Repeater {
        model: step.fineTune.datasets
        delegate: ChoiceCard {
            id: choice
            required property string datasetId
            required property string name
            required property bool isValid
            required property string problemText
            required facts
            objectName: "dataset:" + name
            title: name
            note: isValid ? qsTr("Ready") : problemText
            noteTone: isValid ? "good" : "bad"
            checked: step.fineTune.dataset === datasetId
            onClicked: step.fineTune.dataset = datasetId
        }
    }
    AppDialog {
        id: removeDialog
        objectName: "removeData"
        title: qsTr("Remove %1?").arg(step.fineTune.datasetName)
        acceptText: qsTr("Remove")
        acceptKind: "danger"
        onAccepted: step.fineTune.removeData(step.fineTune.dataset)
        AppText {
            width: parent.width
            text: qsTr("The examples are deleted from this box. Models that were trained on them stay. Your own file is not touched.")
        }
    }
    Card {
        visible: step.fineTune.dataset !== ""
        AppText {
            objectName: "datasetNotes"
            Layout.fillWidth: true
            visible: text !== ""
            text: step.fineTune.datasetNotes
        }
        RowLayout {
            AppText {
                Layout.fillWidth: true
                kind: "muted"
                text: qsTr("The file was copied to this box. Removing it also removes what past trainings kept of its texts.")
            }
            AppButton {
                objectName: "removeDataset"
                text: qsTr("Remove")
                Accessible.name: qsTr("Remove %1").arg(step.fineTune.datasetName)
                onClicked: removeDialog.open()
            }
        }
    }
    Card {
        objectName: "dataProblems"
        visible: problemRows.count > 0
        color: Theme.badSoft
        border.color: "transparent"
        AppText { kind: "heading"; text: qsTr("Please mend these lines, then add the file again") }
        Repeater {
            id: problemRows
            model: step.fineTune.problems
            delegate: ColumnLayout {
                id: problem
                required property string place
                required property string message
                Layout.fillWidth: true
                spacing: 0
                AppText {
                    objectName: "problemPlace"
                    Layout.fillWidth: true
                    text: problem.place
                    color: Theme.bad
                    font.bold: true
                }
                AppText { Layout.fillWidth: true; text: problem.message }
            }
        }
    }
    Card {
        visible: turnRows.count > 0
        AppText { kind: "heading"; text: qsTr("The first examples, as the model will see them") }
        Repeater {
            id: turnRows
            model: step.fineTune.preview
            delegate: ColumnLayout {
                id: turn
                required property string speaker
                required property string turnText
                required property bool isUser
                required property bool startsExample
                required property int index
                Layout.fillWidth: true
                spacing: Theme.gap2
                Rectangle {
                    visible: turn.startsExample && turn.index > 0
                    Layout.fillWidth: true
                    implicitHeight: 1
                    color: Theme.border
                }
                RowLayout {
                    spacing: Theme.gap3
                    AppText {
                        Layout.preferredWidth: 84
                        Layout.alignment: Qt.AlignTop
                        kind: "small"
                        text: turn.speaker
                        color: turn.isUser ? Theme.muted : Theme.accent
                    }
                    AppText {
                        Layout.fillWidth: true
                        text: turn.turnText
                        maximumLineCount: 4
                        elide: Text.ElideRight
                    }
                }
            }
        }
    }
}
