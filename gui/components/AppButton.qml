// AppButton: a button with words, and an icon if it has a glyph.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts

Button {
    id: button
    property string kind: "secondary"  // primary | secondary | quiet | danger
    property string glyph: ""
    property bool glyphFilled: false
    // What cannot be pressed is grey, and still readable.
    readonly property color inkColor: !enabled ? Theme.muted : kind === "primary" ? Theme.accentInk
                                    : kind === "danger" ? Theme.bad
                                    : kind === "quiet" ? Theme.muted : Theme.text

    implicitHeight: Theme.controlHeight
    leftPadding: Theme.gap4
    rightPadding: Theme.gap4
    topPadding: 0
    bottomPadding: 0
    Accessible.name: text
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()

    contentItem: RowLayout {
        spacing: Theme.gap2
        Item { Layout.fillWidth: true }
        AppIcon {
            visible: button.glyph !== ""
            glyph: button.glyph
            filled: button.glyphFilled
            color: button.inkColor
            size: 18
        }
        AppText {
            text: button.text
            color: button.inkColor
            font.bold: button.kind === "primary"
            wrapMode: Text.NoWrap
        }
        Item { Layout.fillWidth: true }
    }

    background: Rectangle {
        radius: Theme.controlRadius
        color: !button.enabled ? Theme.pressed : button.kind === "primary"
               ? (button.down ? Theme.accentPressed : button.hovered ? Theme.accentHover : Theme.accent)
               : (button.down ? Theme.pressed : button.hovered ? Theme.hover : button.kind === "quiet" ? "transparent" : Theme.raised)
        border.width: button.kind === "primary" || button.kind === "quiet" ? 0 : 1
        border.color: Theme.controlBorder
        Behavior on color { ColorAnimation { duration: Theme.quick } }
        FocusRing { shown: button.visualFocus }
    }
}
