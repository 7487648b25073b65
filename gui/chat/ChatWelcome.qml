// ChatWelcome: an empty conversation, with a few ways to begin.
import QtQuick
import QtQuick.Layouts
import Hearth

Item {
    id: root
    required property Chat chat
    signal suggested(string text)

    Flickable {
        id: flick
        anchors.fill: parent
        contentWidth: width
        contentHeight: Math.max(height, column.implicitHeight + 2 * Theme.gap3)
        clip: contentHeight > height
        boundsBehavior: Flickable.StopAtBounds

        ColumnLayout {
            id: column
            anchors.centerIn: parent
            width: Math.min(620, parent.width - 2 * Theme.gap5)
            spacing: flick.height < 340 ? Theme.gap3 : Theme.gap5

            Rectangle {
                visible: flick.height >= 340
                Layout.alignment: Qt.AlignHCenter
                implicitWidth: 64
                implicitHeight: 64
                radius: 20
                color: Theme.accentSoft
                AppIcon {
                    anchors.centerIn: parent
                    glyph: Icons.flame
                    filled: true
                    color: Theme.accent
                    size: 38
                }
            }
            AppText {
                Layout.fillWidth: true
                kind: "title"
                horizontalAlignment: Text.AlignHCenter
                text: qsTr("What would you like to know?")
            }
            GridLayout {
                Layout.fillWidth: true
                columns: 2
                columnSpacing: Theme.gap3
                rowSpacing: Theme.gap3
                Repeater {
                    model: root.chat.suggestions
                    delegate: SuggestionButton {
                        Layout.fillWidth: true
                        Layout.preferredWidth: 100
                        Layout.fillHeight: true
                        onClicked: root.suggested(modelData)
                    }
                }
            }
        }
    }
}
