// AnswerBlocks: an answer's prose, code and tables, one below the other. Everything in it is text: what a model writes is
// never read as rich text by Qt.
import QtQuick
import QtQuick.Layouts
import Hearth

ColumnLayout {
    id: column
    required property BlockListModel blocks
    required property Chat chat
    property int pixelSize: 15

    spacing: 0

    Repeater {
        model: column.blocks
        delegate: Loader {
            id: slot
            required property int index
            required property string kind
            required property var block
            required property string language
            required property bool continues
            required property TableShape shape
            Layout.fillWidth: true
            Layout.topMargin: index === 0 || continues ? 0 : Theme.gap3
            sourceComponent: kind === "code" ? code : kind === "table" ? table : kind === "rule" ? rule : prose

            Component {
                id: prose
                AnswerProse {
                    block: slot.block
                    pixelSize: column.pixelSize
                    onLinkActivated: link => column.chat.askAboutLink(link)
                }
            }
            Component {
                id: code
                CodeBlock {
                    block: slot.block
                    language: slot.language
                    continues: slot.continues
                    onCopied: column.chat.copy(column.blocks.codeAt(slot.index))
                }
            }
            Component {
                id: table
                TableBlock {
                    block: slot.block
                    shape: slot.shape
                    continues: slot.continues
                    isLast: slot.shape?.lastRow === slot.index
                    onCopied: column.chat.copy(column.blocks.tableAt(slot.index))
                    onLinkActivated: link => column.chat.askAboutLink(link)
                }
            }
            Component {
                id: rule
                Item {
                    implicitHeight: 1
                    Rectangle { width: parent.width; height: 1; color: Theme.border }
                }
            }
        }
    }
}
