// TableBlock: a table of an answer or a piece of one, scrolling sideways when it must, with a button that copies it for a
// spreadsheet. The pieces of a table scroll together.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Item {
    id: root
    required property var block
    required property TableShape shape
    required property bool continues
    required property bool isLast  // piece of its table
    signal copied()
    signal linkActivated(string link)

    readonly property bool scrolls: table.implicitWidth > width

    implicitHeight: table.implicitHeight + (bar.visible ? bar.height : 0)

    HoverHandler { id: hover }

    Flickable {
        id: flick
        objectName: "tableFlick"
        anchors.fill: parent
        contentWidth: Math.max(width, table.implicitWidth)
        contentHeight: height
        clip: true
        interactive: root.scrolls
        flickableDirection: Flickable.HorizontalFlick
        boundsBehavior: Flickable.StopAtBounds
        onContentXChanged: if (root.shape) root.shape.contentX = contentX
        Component.onCompleted: if (root.shape) contentX = root.shape.contentX
        ScrollBar.horizontal: AppScrollBar {
            id: bar
            visible: root.scrolls && root.isLast
        }

        AnswerTable {
            id: table
            objectName: "answerTable"
            width: implicitWidth
            height: implicitHeight
            room: root.width
            block: root.block
            shape: root.shape
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
    Connections {
        target: root.shape
        function onContentXChanged() { flick.contentX = root.shape.contentX }
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
