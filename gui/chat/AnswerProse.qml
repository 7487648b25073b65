// AnswerProse: paragraphs of an answer, selectable. A plain-text edit whose document is given its looks by ProseFormatter.
import QtQuick
import Hearth

TextEdit {
    id: edit
    required property var block
    property int pixelSize: 15

    objectName: "answerText"
    readOnly: true
    selectByMouse: true
    textFormat: TextEdit.PlainText
    wrapMode: TextEdit.Wrap
    color: Theme.text
    selectionColor: Theme.accent
    selectedTextColor: Theme.accentInk
    font.pixelSize: pixelSize
    Accessible.role: Accessible.StaticText
    Accessible.name: formatter.plainText

    ProseFormatter {
        id: formatter
        document: edit.textDocument
        block: edit.block
        textColor: Theme.text
        linkColor: Theme.accent
        mutedColor: Theme.muted
        codeColor: Theme.hover
        monoFamilies: Theme.monoFamilies // qmllint disable
        pixelSize: edit.pixelSize
        Component.onCompleted: isComplete = true
    }
    HoverHandler {
        cursorShape: edit.hoveredLink !== "" ? Qt.PointingHandCursor : Qt.IBeamCursor
    }
}
