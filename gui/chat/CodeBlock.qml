// CodeBlock: code in a frame, scrolling sideways, with a button that copies it.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

Rectangle {
    id: block
    required property string code
    required property string language
    property bool justCopied: false
    signal copied()

    implicitHeight: column.implicitHeight
    radius: Theme.controlRadius + 2
    color: Theme.card
    border.color: Theme.border

    Timer {
        id: reset
        interval: 1600
        onTriggered: block.justCopied = false
    }

    ColumnLayout {
        id: column
        width: parent.width
        spacing: 0
        RowLayout {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.gap3
            Layout.rightMargin: Theme.gap1
            Layout.topMargin: 2
            AppText {
                Layout.fillWidth: true
                kind: "small"
                text: block.language === "" ? qsTr("Code") : block.language
            }
            AppButton {
                objectName: "copyCode"
                kind: "quiet"
                implicitHeight: 30
                leftPadding: Theme.gap2
                rightPadding: Theme.gap2
                glyph: block.justCopied ? Icons.check : Icons.copy
                text: block.justCopied ? qsTr("Copied") : qsTr("Copy code")
                onClicked: {
                    block.copied()
                    block.justCopied = true
                    reset.restart()
                }
            }
        }
        Rectangle {
            Layout.fillWidth: true
            implicitHeight: 1
            color: Theme.border
        }
        Flickable {
            id: flick
            Layout.fillWidth: true
            implicitHeight: words.implicitHeight + 2 * Theme.gap3
            contentWidth: Math.max(width, words.implicitWidth + 2 * Theme.gap3)
            contentHeight: height
            clip: true
            flickableDirection: Flickable.HorizontalFlick
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.horizontal: AppScrollBar {}
            TextEdit {
                id: words
                x: Theme.gap3
                y: Theme.gap3
                readOnly: true
                selectByMouse: true
                textFormat: TextEdit.PlainText
                text: block.code
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.accentInk
                font.family: Theme.mono
                font.pixelSize: 13
                Accessible.role: Accessible.StaticText
                Accessible.name: block.code
            }
        }
    }
}
