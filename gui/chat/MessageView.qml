// MessageView: the messages, following the end while an answer is written unless one scrolled up.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

ListView {
    id: list
    required property Chat chat
    property bool follows: true

    function followEnd() {
        if (follows)
            positionViewAtEnd()
    }

    objectName: "messages"
    model: chat.messages
    clip: true
    boundsBehavior: Flickable.StopAtBounds
    spacing: Theme.gap3
    topMargin: Theme.gap5
    bottomMargin: Theme.gap4
    // A few screens above and below are laid out: scrolling is steady, and a long conversation opens at once.
    cacheBuffer: 1500
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Messages")
    ScrollBar.vertical: AppScrollBar {}

    onCountChanged: {
        follows = true
        followEnd()
    }
    onContentHeightChanged: followEnd()
    onMovementStarted: follows = false
    onMovementEnded: follows = atYEnd

    delegate: MessageDelegate {
        width: list.width
        chat: list.chat
    }
}
