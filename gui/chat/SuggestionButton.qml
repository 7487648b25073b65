// SuggestionButton: a question to begin with.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Button {
    id: button
    required property string modelData

    text: modelData
    padding: Theme.gap4
    Accessible.name: text
    Keys.onReturnPressed: button.clicked()
    contentItem: AppText {
        text: button.modelData
        color: button.hovered ? Theme.text : Theme.muted
        verticalAlignment: Text.AlignVCenter
    }
    background: Rectangle {
        radius: Theme.cardRadius
        color: button.down ? Theme.pressed : button.hovered ? Theme.hover : Theme.card
        border.color: Theme.border
        FocusRing { shown: button.visualFocus; radius: Theme.cardRadius + 3 }
    }
}
