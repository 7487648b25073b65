// Home: what this box is, what it does now, and one clear thing to do next.
import QtQuick
import QtQuick.Layouts
import Hearth

PageFrame {
    id: page
    required property Home home
    required property Connection connection
    required property ModelLibrary library
    signal pageRequested(string name)

    objectName: "homePage"
    title: qsTr("Welcome")
    subtitle: home.isKnown ? qsTr("This box is called %1. Your models run here, on your own hardware, and nothing leaves it.").arg(home.hostname) : ""

    Card {
        visible: page.connection.isUnreachable
        padding: Theme.gap5
        color: Theme.badSoft
        border.color: "transparent"
        RowLayout {
            spacing: Theme.gap3
            AppIcon { glyph: Icons.warning; color: Theme.bad; size: 24 }
            AppText {
                objectName: "unreachableTitle"
                Layout.fillWidth: true
                kind: "heading"
                text: qsTr("Hearth's service is not reachable")
            }
        }
        AppText {
            Layout.fillWidth: true
            text: page.connection.advice
        }
        CommandLine {
            Layout.fillWidth: true
            visible: page.connection.command !== ""
            command: page.connection.command
        }
        RowLayout {
            spacing: Theme.gap3
            AppButton {
                objectName: "retryButton"
                kind: "primary"
                text: qsTr("Try again now")
                glyph: Icons.again
                onClicked: page.connection.retry()
            }
            AppText {
                Layout.fillWidth: true
                kind: "small"
                text: page.connection.problem
            }
        }
    }

    Card {
        objectName: "nextStep"
        visible: page.home.knowsModels && !page.connection.isUnreachable
        padding: Theme.gap5
        color: Theme.accentSoft
        border.color: Theme.accentBorder
        RowLayout {
            spacing: Theme.gap5
            ColumnLayout {
                Layout.fillWidth: true
                spacing: Theme.gap2
                AppText {
                    objectName: "headline"
                    Layout.fillWidth: true
                    kind: "heading"
                    font.pixelSize: 20
                    text: page.home.headline
                }
                AppText {
                    Layout.fillWidth: true
                    text: page.home.canChat ? qsTr("Ask anything; your conversations are kept on this machine.")
                        : page.home.suggestedModel !== "" ? qsTr("Start %1 and chat in a moment.").arg(page.home.suggestedModel)
                        : qsTr("Install one from a stick or a folder to begin.")
                }
            }
            AppButton {
                objectName: "startButton"
                implicitHeight: 46
                leftPadding: Theme.gap5
                rightPadding: Theme.gap5
                kind: "primary"
                glyph: page.home.canChat ? Icons.chat : page.home.suggestedModel !== "" ? Icons.play : Icons.download
                text: page.home.canChat ? qsTr("Start chatting")
                    : page.home.suggestedModel !== "" ? qsTr("Start %1").arg(page.home.suggestedCalledName) : qsTr("Install a model")
                onClicked: {
                    if (page.home.canChat)
                        page.pageRequested("chat")
                    else if (page.home.suggestedModel !== "")
                        page.library.deploy(page.home.suggestedModel)
                    else
                        page.pageRequested("updates")
                }
            }
        }
    }

    Notice {
        text: page.library.problem
        closable: true
        onClosed: page.library.clearProblem()
    }

    GridLayout {
        visible: page.home.isKnown && !page.connection.isUnreachable
        Layout.fillWidth: true
        columns: page.width > 0 && page.width < 560 ? 1 : 2
        columnSpacing: Theme.gap4
        rowSpacing: Theme.gap4
        FactCard { glyph: Icons.chip; label: qsTr("Processor"); value: page.home.cpuText }
        FactCard { glyph: Icons.screen; label: qsTr("Graphics"); value: page.home.gpuText }
        FactCard {
            glyph: Icons.memory
            label: qsTr("Memory")
            value: page.home.memoryText
            hasMeter: true
            used: page.home.memoryUsed
        }
        FactCard {
            glyph: Icons.disk
            label: qsTr("Storage")
            value: page.home.diskText
            hasMeter: true
            used: page.home.diskUsed
        }
    }

    Card {
        visible: page.home.isKnown && !page.connection.isUnreachable
        AppText { kind: "heading"; text: qsTr("Running now") }
        Repeater {
            id: deploymentRows
            model: page.home.deployments
            delegate: RowLayout {
                id: deployment
                required property string model
                required property string calledName
                required property string stateText
                required property string detail
                required property string tone
                Layout.fillWidth: true
                spacing: Theme.gap3
                AppIcon { glyph: Icons.models; color: Theme.muted }
                ColumnLayout {
                    Layout.fillWidth: true
                    spacing: 0
                    AppText { Layout.fillWidth: true; text: deployment.calledName }
                    AppText {
                        Layout.fillWidth: true
                        kind: "small"
                        text: deployment.detail
                        visible: text !== ""
                    }
                }
                Badge { text: deployment.stateText; tone: deployment.tone }
            }
        }
        Repeater {
            id: jobRows
            model: page.home.jobs
            delegate: JobRow {
                onCancelled: page.home.jobs.cancel(jobId)
            }
        }
        AppText {
            visible: deploymentRows.count === 0 && jobRows.count === 0
            kind: "muted"
            text: qsTr("Nothing is running. Models that you start appear here.")
        }
    }
}
