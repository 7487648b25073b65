// Fine-tune: past and running trainings, the wizard, and one training watched.
import QtQuick
import QtQuick.Layouts
import Hearth

PageFrame {
    id: page
    required property FineTune fineTune
    signal chatRequested(string model)
    readonly property int step: fineTune.step
    readonly property bool isWizard: step !== FineTune.Overview && step !== FineTune.Watch
    onStepChanged: scrollToTop()

    objectName: "finetunePage"
    title: fineTune.step === FineTune.Watch ? fineTune.jobTitle : qsTr("Fine-tune")
    subtitle: fineTune.step === FineTune.Watch ? "" : qsTr("Teach a model from your own examples. Everything stays on this box.")
    actions: [
        AppButton {
            objectName: "wizardBegin"
            visible: page.fineTune.step === FineTune.Overview
            kind: "primary"
            glyph: Icons.plus
            text: qsTr("New fine-tune")
            onClicked: page.fineTune.begin()
        },
        AppButton {
            objectName: "toOverview"
            visible: page.fineTune.step === FineTune.Watch
            glyph: Icons.left
            text: qsTr("All fine-tunes")
            onClicked: page.fineTune.step = FineTune.Overview
        }
    ]

    footer: [
        AppButton {
            objectName: "wizardBack"
            visible: page.isWizard
            text: qsTr("Back")
            onClicked: page.fineTune.back()
        },
        Item {
            visible: page.isWizard
            Layout.fillWidth: true
        },
        AppButton {
            objectName: "wizardNext"
            visible: page.isWizard
            kind: "primary"
            enabled: page.fineTune.canGoOn
            text: page.fineTune.step === FineTune.ChoosePreset ? qsTr("Start training") : qsTr("Continue")
            onClicked: page.fineTune.next()
        }
    ]

    Connections {
        target: page.fineTune
        function onResultReady(model: string) { page.chatRequested(model) }
    }

    StepBar {
        visible: page.fineTune.step !== FineTune.Overview
        Layout.fillWidth: true
        current: page.fineTune.step - FineTune.ChooseModel
    }
    Notice {
        objectName: "finetuneProblem"
        text: page.fineTune.problem
    }

    TrainingList {
        visible: page.fineTune.step === FineTune.Overview
        fineTune: page.fineTune
    }
    ModelStep {
        visible: page.fineTune.step === FineTune.ChooseModel
        Layout.fillWidth: true
        fineTune: page.fineTune
    }
    DataStep {
        visible: page.fineTune.step === FineTune.ChooseData
        Layout.fillWidth: true
        fineTune: page.fineTune
    }
    PresetStep {
        visible: page.fineTune.step === FineTune.ChoosePreset
        Layout.fillWidth: true
        fineTune: page.fineTune
    }
    WatchStep {
        visible: page.fineTune.step === FineTune.Watch
        Layout.fillWidth: true
        fineTune: page.fineTune
    }
}
