// AnswerBlocks: an answer's prose and code, one below the other.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: column
    required property BlockListModel blocks
    required property Chat chat

    spacing: Theme.gap3

    Repeater {
        model: column.blocks
        delegate: ColumnLayout {
            id: block
            required property bool isCode
            required property string blockText
            required property string language
            Layout.fillWidth: true
            spacing: 0

            TextEdit {
                objectName: "answerText"
                visible: !block.isCode
                Layout.fillWidth: true
                readOnly: true
                selectByMouse: true
                textFormat: TextEdit.MarkdownText
                wrapMode: TextEdit.Wrap
                text: block.isCode ? "" : block.blockText
                color: Theme.text
                selectionColor: Theme.accent
                selectedTextColor: Theme.accentInk
                font.pixelSize: 15
                Accessible.role: Accessible.StaticText
                Accessible.name: block.blockText
                onLinkActivated: link => Qt.openUrlExternally(link)
            }
            CodeBlock {
                visible: block.isCode
                Layout.fillWidth: true
                code: block.isCode ? block.blockText : ""
                language: block.language
                onCopied: column.chat.copy(block.blockText)
            }
        }
    }
}
