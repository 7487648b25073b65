// Models: what is in the store, whether it fits, and what to do with it.
import QtQuick
import QtQuick.Layouts
import Hearth

PageFrame {
    id: page
    required property ModelLibrary library
    required property bool isLocal
    signal chatRequested(string model)
    signal pageRequested(string name)

    objectName: "modelsPage"
    title: qsTr("Models")
    subtitle: library.isKnown ? library.diskText : ""
    actions: [
        AppButton {
            objectName: "addModel"
            kind: "primary"
            glyph: Icons.plus
            text: qsTr("Add a model")
            onClicked: addDialog.show("")
        }
    ]

    Notice {
        objectName: "modelsProblem"
        text: page.library.problem
        actionText: page.library.baselessPath !== "" ? qsTr("Choose its base model…") : ""
        onAction: addDialog.show(page.library.baselessPath)
        closable: true
        onClosed: page.library.clearProblem()
    }

    Notice {
        objectName: "modelsSuccess"
        tone: "good"
        text: page.library.success
        closable: true
        onClosed: page.library.clearSuccess()
    }

    Card {
        visible: jobRows.count > 0
        Repeater {
            id: jobRows
            model: page.library.jobs
            delegate: JobRow {
                onCancelled: page.library.jobs.cancel(jobId)
            }
        }
    }

    Repeater {
        id: modelRows
        model: page.library.models
        delegate: ModelCard {
            onDeployWanted: page.library.deploy(name)
            onStopWanted: page.library.undeploy(name)
            onChatWanted: page.chatRequested(name)
            onExportWanted: {
                exportDialog.modelName = name
                exportDialog.open()
            }
            onRemovalWanted: {
                removeDialog.modelName = name
                removeDialog.open()
            }
        }
    }

    Card {
        objectName: "noModels"
        visible: page.library.isKnown && modelRows.count === 0
        padding: Theme.gap6
        AppIcon { Layout.alignment: Qt.AlignHCenter; glyph: Icons.models; size: 40; color: Theme.faint }
        AppText { Layout.alignment: Qt.AlignHCenter; kind: "heading"; text: qsTr("No models yet") }
        AppText {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            kind: "muted"
            text: qsTr("Plug in a stick with model packs, or add a folder or file that you already have.")
        }
        AppButton {
            Layout.alignment: Qt.AlignHCenter
            text: qsTr("Look for packs")
            onClicked: page.pageRequested("updates")
        }
    }

    AppDialog {
        id: addDialog
        objectName: "addDialog"
        title: qsTr("Add a model")
        acceptText: qsTr("Add")
        acceptEnabled: pathField.text.trim() !== ""
        width: Math.min(560, maxWidth)
        onOpened: pathField.focusField()
        onAccepted: {
            page.library.add(pathField.text, nameField.text, baseBox.currentIndex > 0 ? baseBox.currentText : "")
            pathField.clear()
        }
        // The name and the base were for another path; after Cancel too.
        function show(path: string) {
            nameField.clear()
            baseBox.currentIndex = 0
            if (path !== "") pathField.text = path
            open()
        }
        ColumnLayout {
            width: parent.width
            spacing: Theme.gap3
            AppText {
                Layout.fillWidth: true
                kind: "muted"
                text: page.isLocal ? qsTr("A folder with a model pack, a Hugging Face folder, a PEFT adapter, or a .gguf or .safetensors file.")
                                   : qsTr("The path on the box of a model pack, a Hugging Face folder, a PEFT adapter, or a .gguf or .safetensors file.")
            }
            PathField {
                id: pathField
                objectName: "addPath"
                label: qsTr("Folder or file")
                placeholder: qsTr("/path/to/model")
                canBrowse: page.isLocal
            }
            AppTextField {
                id: nameField
                objectName: "addName"
                Layout.fillWidth: true
                label: qsTr("Name")
                hint: qsTr("Name (left empty: from the path)")
            }
            RowLayout {
                visible: baseBox.count > 1
                spacing: Theme.gap3
                AppText { kind: "muted"; text: qsTr("An adapter belongs to"); wrapMode: Text.NoWrap }
                AppComboBox {
                    id: baseBox
                    objectName: "addBase"
                    Layout.fillWidth: true
                    label: qsTr("Base model of an adapter")
                    model: page.library.baseChoices
                }
            }
        }
    }

    AppDialog {
        id: exportDialog
        property string modelName
        objectName: "exportModel"
        title: qsTr("Export %1").arg(modelName)
        acceptText: qsTr("Export")
        acceptEnabled: exportPath.text.trim() !== ""
        width: Math.min(560, maxWidth)
        onOpened: exportPath.focusField()
        onAccepted: {
            page.library.exportTo(modelName, exportPath.text)
            exportPath.clear()
        }
        ColumnLayout {
            width: parent.width
            spacing: Theme.gap3
            AppText {
                Layout.fillWidth: true
                kind: "muted"
                text: page.isLocal ? qsTr("The model is written as a pack into this folder, on a stick for example. Another box installs it from there in Updates.")
                                   : qsTr("The model is written as a pack into this folder of the box. Another box installs it from there in Updates.")
            }
            PathField {
                id: exportPath
                objectName: "exportPath"
                label: qsTr("Folder to write to")
                placeholder: qsTr("/media/stick/%1").arg(exportDialog.modelName)
                canBrowse: page.isLocal
            }
            AppText {
                Layout.fillWidth: true
                kind: "small"
                text: qsTr("The pack is signed if the service was given a signing key. Other boxes refuse unsigned packs.")
            }
        }
    }

    AppDialog {
        id: removeDialog
        property string modelName
        objectName: "removeModel"
        title: qsTr("Remove %1?").arg(modelName)
        acceptText: qsTr("Remove")
        acceptKind: "danger"
        onAccepted: page.library.remove(modelName)
        AppText {
            width: parent.width
            text: page.library.removalText(removeDialog.modelName)
        }
    }
}
