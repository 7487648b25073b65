// IconButton: a small button with a glyph; its text is its accessible name and its tool tip.
import QtQuick
import QtQuick.Controls.Basic

Button {
    id: button
    required property string glyph
    property bool filled: false
    property bool accent: false
    property int size: 32

    implicitWidth: size
    implicitHeight: size
    padding: 0
    opacity: enabled || accent ? 1 : 0.4
    display: AbstractButton.IconOnly
    Accessible.name: text
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()
    AppToolTip {
        visible: button.hovered && button.text !== ""
        text: button.text
    }

    contentItem: Item {
        AppIcon {
            anchors.centerIn: parent
            glyph: button.glyph
            filled: button.filled
            size: Math.round(button.size * 0.56)
            color: button.accent && !button.enabled ? Theme.muted : button.accent ? Theme.accentInk : button.hovered || button.visualFocus ? Theme.text : Theme.muted
        }
    }
    background: Rectangle {
        radius: button.accent ? button.size / 2 : Theme.controlRadius
        color: button.accent && !button.enabled ? Theme.pressed : button.accent ? (button.down ? Theme.accentPressed : button.hovered ? Theme.accentHover : Theme.accent)
                             : (button.down ? Theme.pressed : button.hovered ? Theme.hover : "transparent")
        FocusRing {
            shown: button.visualFocus
            radius: button.accent ? height / 2 : Theme.controlRadius + 3
        }
    }
}
