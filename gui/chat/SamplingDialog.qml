// SamplingDialog: how this conversation's words are chosen. What is left empty is the model's own.
import QtQuick
import QtQuick.Layouts
import Hearth

AppDialog {
    id: dialog
    required property Chat chat
    property string complaint: ""

    function show() {
        complaint = ""
        temperature.text = chat.temperature
        topP.text = chat.topP
        maxTokens.text = chat.maxTokens
        open()
        temperature.forceActiveFocus()
    }
    function save() {
        complaint = chat.setSampling(temperature.text, topP.text, maxTokens.text)
        if (complaint === "")
            close()
    }

    objectName: "sampling"
    title: qsTr("How it answers in this conversation")
    acceptText: qsTr("Save")
    closesOnAccept: false
    width: Math.min(480, maxWidth)
    onAcceptWanted: save()

    ColumnLayout {
        width: parent.width
        spacing: Theme.gap3
        GridLayout {
            Layout.fillWidth: true
            columns: 2
            columnSpacing: Theme.gap4
            rowSpacing: Theme.gap3
            AppText { text: qsTr("Temperature") }
            AppTextField {
                id: temperature
                objectName: "temperature"
                Layout.fillWidth: true
                label: qsTr("Temperature")
                hint: qsTr("the model's own (0 to 2)")
                onAccepted: dialog.save()
            }
            AppText { text: qsTr("Top-p") }
            AppTextField {
                id: topP
                objectName: "topP"
                Layout.fillWidth: true
                label: qsTr("Top-p")
                hint: qsTr("the model's own (0 to 1)")
                onAccepted: dialog.save()
            }
            AppText { text: qsTr("Longest answer") }
            AppTextField {
                id: maxTokens
                objectName: "maxTokens"
                Layout.fillWidth: true
                label: qsTr("Longest answer")
                hint: qsTr("as long as it gets (tokens)")
                onAccepted: dialog.save()
            }
        }
        AppText {
            Layout.fillWidth: true
            kind: "small"
            text: qsTr("A temperature of 0 gives the most likely words, higher ones more variety. Top-p leaves out unlikely words.")
        }
        Notice {
            objectName: "samplingComplaint"
            text: dialog.complaint
        }
    }
}
