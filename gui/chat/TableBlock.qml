// TableBlock: a table of an answer, scrolling sideways when it must, with a button that copies it for a spreadsheet.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Item {
    id: root
    required property var block
    required property bool continues
    signal copied()
    signal linkActivated(string link)

    implicitHeight: table.implicitHeight

    HoverHandler { id: hover }

    Flickable {
        id: flick
        anchors.fill: parent
        contentWidth: Math.max(width, table.implicitWidth)
        contentHeight: height
        clip: true
        interactive: table.implicitWidth > width
        flickableDirection: Flickable.HorizontalFlick
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.horizontal: AppScrollBar {}

        AnswerTable {
            id: table
            objectName: "answerTable"
            width: implicitWidth
            height: implicitHeight
            room: root.width
            block: root.block
            font.pixelSize: 14
            monoFamilies: Theme.monoFamilies // qmllint disable
            textColor: Theme.text
            linkColor: Theme.accent
            lineColor: Theme.border
            headColor: Theme.hover
            Accessible.role: Accessible.Table
            Accessible.name: plainText
            onLinkActivated: link => root.linkActivated(link)
        }
    }
    IconButton {
        objectName: "copyTable"
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: 2
        size: 28
        visible: !root.continues
        opacity: hover.hovered || activeFocus ? 1 : 0
        glyph: Icons.copy
        text: qsTr("Copy the table")
        onClicked: root.copied()
    }
}
