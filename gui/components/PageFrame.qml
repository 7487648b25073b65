// PageFrame: what every page but Chat looks like: a title, a line below it, actions at the right, and a scrolling column.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts

FocusScope {
    id: page
    property string title
    property string subtitle
    property alias actions: actionRow.data
    default property alias content: column.data
    property alias footer: footerRow.data  // stays in sight below what scrolls
    readonly property int margin: width < 640 ? Theme.gap4 : Theme.gap6

    function scrollToTop() { flick.contentY = 0 }

    Flickable {
        id: flick
        anchors.fill: parent
        anchors.bottomMargin: foot.height
        contentWidth: width
        contentHeight: body.implicitHeight + 2 * page.margin
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.vertical: AppScrollBar {}

        ColumnLayout {
            id: body
            x: Math.max(page.margin, (flick.width - width) / 2)
            y: page.margin
            width: Math.min(Theme.pageWidth, flick.width - 2 * page.margin)
            spacing: Theme.gap5

            RowLayout {
                Layout.fillWidth: true
                spacing: Theme.gap4
                ColumnLayout {
                    Layout.fillWidth: true
                    spacing: Theme.gap1
                    AppText {
                        Layout.fillWidth: true
                        kind: "title"
                        text: page.title
                        Accessible.role: Accessible.Heading
                        Accessible.name: text
                    }
                    AppText {
                        Layout.fillWidth: true
                        kind: "muted"
                        text: page.subtitle
                        visible: text !== ""
                    }
                }
                RowLayout {
                    id: actionRow
                    spacing: Theme.gap2
                }
            }
            ColumnLayout {
                id: column
                Layout.fillWidth: true
                spacing: Theme.gap4
            }
        }
    }

    Rectangle {
        id: foot
        readonly property bool isUsed: footerRow.visibleChildren.length > 0
        anchors.bottom: parent.bottom
        width: parent.width
        height: isUsed ? footerRow.implicitHeight + 2 * Theme.gap3 : 0
        color: Theme.window
        Rectangle {
            visible: foot.isUsed
            width: parent.width
            height: 1
            color: Theme.border
        }
        RowLayout {
            id: footerRow
            x: body.x
            y: Theme.gap3
            width: body.width
            spacing: Theme.gap2
        }
    }

    // There is more below: the page fades out instead of ending in the middle of a card.
    Rectangle {
        objectName: "moreBelow"
        visible: !flick.atYEnd
        anchors.bottom: foot.top
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap3
        height: Theme.gap7
        gradient: Gradient {
            GradientStop { position: 0; color: Qt.rgba(Theme.window.r, Theme.window.g, Theme.window.b, 0) }
            GradientStop { position: 1; color: Theme.window }
        }
        AppIcon {
            anchors.horizontalCenter: parent.horizontalCenter
            anchors.bottom: parent.bottom
            anchors.bottomMargin: Theme.gap1
            glyph: Icons.down
            color: Theme.muted
            size: 20
        }
    }
}
