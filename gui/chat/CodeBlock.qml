// CodeBlock: code in a frame, scrolling sideways, with a button that copies it. Long code comes in several, which look like
// one: those that continue it have neither a head nor the button.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

Rectangle {
    id: root
    required property var block
    required property string language
    required property bool continues
    property bool justCopied: false
    signal copied()

    implicitHeight: column.implicitHeight
    radius: continues ? 0 : Theme.controlRadius + 2
    color: Theme.card
    border.color: Theme.border

    Timer {
        id: reset
        interval: 1600
        onTriggered: root.justCopied = false
    }

    ColumnLayout {
        id: column
        width: parent.width
        spacing: 0
        RowLayout {
            visible: !root.continues
            Layout.fillWidth: true
            Layout.leftMargin: Theme.gap3
            Layout.rightMargin: Theme.gap1
            Layout.topMargin: 2
            AppText {
                Layout.fillWidth: true
                kind: "small"
                text: root.language === "" ? qsTr("Code") : root.language
                elide: Text.ElideRight
                wrapMode: Text.NoWrap
            }
            AppButton {
                objectName: "copyCode"
                kind: "quiet"
                implicitHeight: 30
                leftPadding: Theme.gap2
                rightPadding: Theme.gap2
                glyph: root.justCopied ? Icons.check : Icons.copy
                text: root.justCopied ? qsTr("Copied") : qsTr("Copy code")
                onClicked: {
                    root.copied()
                    root.justCopied = true
                    reset.restart()
                }
            }
        }
        Rectangle {
            visible: !root.continues
            Layout.fillWidth: true
            implicitHeight: 1
            color: Theme.border
        }
        Flickable {
            id: flick
            Layout.fillWidth: true
            implicitHeight: words.implicitHeight + (root.continues ? 0 : 2 * Theme.gap3)
            contentWidth: Math.max(width, words.implicitWidth + 2 * Theme.gap3)
            contentHeight: height
            clip: true
            flickableDirection: Flickable.HorizontalFlick
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.horizontal: AppScrollBar {}
            TextEdit {
                id: words
                x: Theme.gap3
                y: root.continues ? 0 : Theme.gap3
                readOnly: true
                selectByMouse: true
                textFormat: TextEdit.PlainText
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.accentInk
                font.family: Theme.mono
                font.pixelSize: 13
                Accessible.role: Accessible.StaticText
                Accessible.name: text

                CodeFormatter {
                    document: words.textDocument
                    block: root.block
                }
            }
        }
    }
}
