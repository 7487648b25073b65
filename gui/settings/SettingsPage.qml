// Settings: language, theme, which box, shortcuts, about.
import QtQuick
import QtQuick.Layouts
import Hearth

PageFrame {
    id: page
    required property Settings settings
    required property Connection connection
    required property Home home

    objectName: "settingsPage"
    title: qsTr("Settings")

    Card {
        spacing: Theme.gap4
        AppText { kind: "heading"; text: qsTr("Appearance") }
        SettingRow {
            label: qsTr("Language")
            ChoiceRow {
                objectName: "languageChoice"
                label: qsTr("Language")
                values: ["", "en", "zh_CN"]
                labels: [qsTr("Automatic"), "English", "简体中文"]
                current: page.settings.language
                onChosen: value => page.settings.language = value
            }
        }
        SettingRow {
            label: qsTr("Theme")
            ChoiceRow {
                objectName: "themeChoice"
                label: qsTr("Theme")
                values: ["system", "light", "dark"]
                labels: [qsTr("Automatic"), qsTr("Light"), qsTr("Dark")]
                current: page.settings.theme
                onChosen: value => page.settings.theme = value
            }
        }
    }

    Card {
        AppText { kind: "heading"; text: qsTr("Connection") }
        RowLayout {
            spacing: Theme.gap3
            Badge {
                text: page.connection.stateText
                tone: page.connection.isConnected ? "good" : page.connection.isUnreachable ? "bad" : "busy"
            }
            AppText {
                Layout.fillWidth: true
                kind: "muted"
                text: page.connection.address
                elide: Text.ElideMiddle
                wrapMode: Text.NoWrap
            }
        }
        AppText {
            Layout.fillWidth: true
            kind: "muted"
            text: qsTr("This desktop normally works with the box it runs on. It can also work with another Hearth box on your network.")
        }
        RowLayout {
            spacing: Theme.gap2
            AppTextField {
                id: url
                objectName: "urlField"
                Layout.fillWidth: true
                label: qsTr("Address of another box")
                hint: "http://192.168.1.20:8080"
                text: page.settings.url
                onAccepted: page.connection.connectTo(text)
            }
            AppButton {
                objectName: "connectButton"
                text: qsTr("Connect")
                enabled: url.text.trim() !== ""
                onClicked: page.connection.connectTo(url.text)
            }
            AppButton {
                text: qsTr("Use this box")
                visible: page.settings.url !== ""
                onClicked: {
                    url.clear()
                    page.connection.connectTo("")
                }
            }
        }
        Notice {
            objectName: "addressProblem"
            text: page.connection.addressProblem
        }
    }

    Card {
        AppText { kind: "heading"; text: qsTr("Keyboard") }
        GridLayout {
            columns: page.width > 0 && page.width < 600 ? 2 : 4
            columnSpacing: Theme.gap5
            rowSpacing: Theme.gap2
            ShortcutText { keys: "Ctrl+1 … Ctrl+6" }
            AppText { text: qsTr("Go to a page"); Layout.fillWidth: true }
            ShortcutText { keys: "Ctrl+N" }
            AppText { text: qsTr("New chat"); Layout.fillWidth: true }
            ShortcutText { keys: "Enter" }
            AppText { text: qsTr("Send"); Layout.fillWidth: true }
            ShortcutText { keys: "Shift+Enter" }
            AppText { text: qsTr("New line"); Layout.fillWidth: true }
            ShortcutText { keys: "Esc" }
            AppText { text: qsTr("Stop the answer"); Layout.fillWidth: true }
            ShortcutText { keys: "Ctrl+Q" }
            AppText { text: qsTr("Quit"); Layout.fillWidth: true }
        }
    }

    Card {
        AppText { kind: "heading"; text: qsTr("About") }
        RowLayout {
            spacing: Theme.gap4
            Rectangle {
                implicitWidth: 48
                implicitHeight: 48
                radius: 14
                color: Theme.accent
                AppIcon {
                    anchors.centerIn: parent
                    glyph: Icons.flame
                    filled: true
                    color: Theme.accentInk
                    size: 30
                }
            }
            Column {  // see JobRow.qml
                Layout.fillWidth: true
                Layout.preferredWidth: 1
                spacing: 2
                AppText { width: parent.width; text: qsTr("Hearth desktop %1").arg(Qt.application.version) }
                AppText {
                    width: parent.width
                    kind: "muted"
                    text: page.home.isKnown ? qsTr("Connected to %1 with %2").arg(page.home.hostname).arg(page.home.versionText)
                                            : qsTr("Not connected to a box")
                }
                AppText { width: parent.width; kind: "small"; text: qsTr("Free software under the Apache License 2.0") }
            }
        }
    }
}
