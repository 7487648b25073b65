// NavButton: one entry of the side bar.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts

Button {
    id: button
    required property string glyph
    property bool current: false
    property int count: 0
    property bool isCompact: false  // the icon alone, the words as a hint

    implicitHeight: 40
    leftPadding: Theme.gap3
    rightPadding: Theme.gap3
    topPadding: 0
    bottomPadding: 0
    Accessible.name: text
    Accessible.role: Accessible.PageTab
    Keys.onReturnPressed: button.clicked()

    AppToolTip {
        visible: button.isCompact && button.hovered
        text: button.text
    }

    contentItem: RowLayout {
        spacing: button.isCompact ? 0 : Theme.gap3
        AppIcon {
            glyph: button.glyph
            color: button.current ? Theme.accent : Theme.muted
        }
        AppText {
            visible: !button.isCompact
            Layout.fillWidth: true
            text: button.text
            color: button.current ? Theme.text : Theme.muted
            font.bold: button.current
            elide: Text.ElideRight
            wrapMode: Text.NoWrap
        }
        Rectangle {
            visible: button.count > 0
            Layout.leftMargin: button.isCompact ? -Theme.gap2 : 0
            implicitWidth: button.count < 10 ? 20 : 28
            implicitHeight: 20
            radius: 10
            color: Theme.accent
            AppText {
                anchors.centerIn: parent
                text: button.count
                color: Theme.accentInk
                font.pixelSize: 11
                font.bold: true
            }
        }
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: button.current ? Theme.card : button.down ? Theme.pressed : button.hovered ? Theme.hover : "transparent"
        border.color: button.current ? Theme.border : "transparent"
        FocusRing { shown: button.visualFocus }
    }
}
