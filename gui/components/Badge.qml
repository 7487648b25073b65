// Badge: a word in a pill, coloured by what it means.
import QtQuick

Rectangle {
    id: badge
    property string text
    property string tone: "quiet"  // good | busy | bad | quiet

    implicitWidth: row.implicitWidth + 2 * Theme.gap3 - 4
    implicitHeight: 24
    radius: height / 2
    color: Theme.toneSoft(tone)

    Row {
        id: row
        anchors.centerIn: parent
        spacing: 6
        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            width: 7
            height: 7
            radius: 4
            color: Theme.toneColor(badge.tone)
            visible: badge.tone !== "quiet"
            SequentialAnimation on opacity {
                running: badge.tone === "busy" && badge.visible
                loops: Animation.Infinite
                alwaysRunToEnd: true
                NumberAnimation { to: 0.25; duration: 700 }
                NumberAnimation { to: 1; duration: 700 }
            }
        }
        AppText {
            text: badge.text
            color: Theme.toneColor(badge.tone)
            font.pixelSize: Theme.small
            wrapMode: Text.NoWrap
        }
    }
}
