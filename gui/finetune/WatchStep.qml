// WatchStep: a training as it runs, and what came of it.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: step
    required property FineTune fineTune

    spacing: Theme.gap4

    Card {
        visible: step.fineTune.jobState === "done"
        padding: Theme.gap5
        color: Theme.accentSoft
        border.color: Theme.accentBorder
        RowLayout {
            spacing: Theme.gap4
            ColumnLayout {
                Layout.fillWidth: true
                spacing: Theme.gap1
                AppText {
                    objectName: "resultText"
                    Layout.fillWidth: true
                    kind: "heading"
                    text: qsTr("%1 is ready").arg(step.fineTune.resultModel)
                }
                AppText { Layout.fillWidth: true; text: qsTr("Held-out loss %1.").arg(step.fineTune.evalText); visible: step.fineTune.evalText !== "" }
            }
            AppButton {
                objectName: "deployResult"
                kind: "primary"
                implicitHeight: 44
                glyph: Icons.chat
                text: step.fineTune.resultIsStarting ? qsTr("Starting…") : step.fineTune.resultIsReady ? qsTr("Chat with it") : qsTr("Start and chat")
                enabled: !step.fineTune.resultIsStarting && step.fineTune.resultModel !== ""
                onClicked: step.fineTune.deployResult()
            }
        }
    }

    Card {
        RowLayout {
            spacing: Theme.gap3
            Badge {
                objectName: "trainingState"
                text: step.fineTune.jobStateText
                tone: step.fineTune.jobState === "done" ? "good" : step.fineTune.jobState === "failed" ? "bad"
                    : step.fineTune.jobState === "cancelled" ? "quiet" : "busy"
            }
            AppText {
                objectName: "trainingDetail"
                Layout.fillWidth: true
                kind: "muted"
                text: step.fineTune.jobDetail
                color: step.fineTune.jobState === "failed" ? Theme.bad : Theme.muted
            }
            AppText { text: step.fineTune.jobTimeLeft; wrapMode: Text.NoWrap }
            AppButton {
                objectName: "cancelTraining"
                visible: step.fineTune.jobState === "running" || step.fineTune.jobState === "queued"
                text: qsTr("Cancel")
                onClicked: step.fineTune.cancelJob()
            }
        }
        AppText {
            objectName: "trainingDevice"
            Layout.fillWidth: true
            kind: "small"
            visible: text !== ""
            text: step.fineTune.jobDevice
        }
        Meter {
            Layout.fillWidth: true
            visible: step.fineTune.jobState === "running" || step.fineTune.jobState === "queued"
            value: step.fineTune.jobProgress
            label: step.fineTune.jobTitle
        }
        RowLayout {
            Layout.topMargin: Theme.gap2
            spacing: Theme.gap4
            AppText { Layout.fillWidth: true; kind: "heading"; text: qsTr("Loss") }
            Legend { visible: !step.fineTune.curve.isEmpty; color: Theme.accent; text: qsTr("training") }
            Legend { visible: !step.fineTune.curve.isEmpty; color: Theme.info; text: qsTr("held-out") }
            AppText {
                objectName: "lossNow"
                visible: step.fineTune.lossText !== ""
                text: step.fineTune.jobState === "done" ? qsTr("%1 at the last step").arg(step.fineTune.lossText) : qsTr("now %1").arg(step.fineTune.lossText)
                font.bold: true
            }
        }
        LossCurveItem {
            objectName: "lossCurve"
            Layout.fillWidth: true
            implicitHeight: 236
            visible: !step.fineTune.curve.isEmpty
            curve: step.fineTune.curve
            lineColor: Theme.accent
            evalColor: Theme.info
            gridColor: Theme.border
            textColor: Theme.muted
            font.pixelSize: 11
            xTitle: qsTr("training step")
            Accessible.role: Accessible.Chart
            Accessible.name: step.fineTune.curve.summary
        }
        AppText {
            Layout.fillWidth: true
            kind: "small"
            visible: step.fineTune.curve.isEmpty
            text: qsTr("The curve begins with the first step. Lower is better: the model is less surprised by the right answer.")
        }
    }

    AppText { kind: "heading"; text: qsTr("Before and after"); visible: sampleRows.count > 0 }
    Repeater {
        id: sampleRows
        model: step.fineTune.samples
        delegate: SampleCard {}
    }
}
