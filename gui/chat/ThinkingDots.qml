// ThinkingDots: the answer has been asked for and has not begun.
import QtQuick
import Hearth

Row {
    id: dots
    spacing: 6
    height: 24
    Accessible.role: Accessible.Animation
    Accessible.name: qsTr("The model is thinking")

    Repeater {
        model: 3
        delegate: Rectangle {
            id: dot
            required property int index
            anchors.verticalCenter: parent ? parent.verticalCenter : undefined
            width: 8
            height: 8
            radius: 4
            color: Theme.accent
            SequentialAnimation on opacity {
                running: dots.visible
                loops: Animation.Infinite
                PauseAnimation { duration: dot.index * 160 }
                NumberAnimation { to: 0.25; duration: 320 }
                NumberAnimation { to: 1; duration: 320 }
                PauseAnimation { duration: (2 - dot.index) * 160 }
            }
        }
    }
}
