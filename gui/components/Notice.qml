// Notice: one message with what to do about it. Takes no room when it has no text.
import QtQuick
import QtQuick.Layouts

Rectangle {
    id: notice
    property string text
    property string tone: "bad"  // good | busy | bad | quiet
    property string actionText: ""
    property bool closable: false
    signal action()
    signal closed()

    visible: text !== ""
    implicitHeight: visible ? row.implicitHeight + 2 * Theme.gap3 : 0
    Layout.fillWidth: true
    radius: Theme.controlRadius + 2
    color: Theme.toneSoft(tone)
    Accessible.role: Accessible.AlertMessage
    Accessible.name: text

    RowLayout {
        id: row
        anchors.fill: parent
        anchors.leftMargin: Theme.gap4
        anchors.rightMargin: Theme.gap3
        anchors.topMargin: Theme.gap3
        anchors.bottomMargin: Theme.gap3
        spacing: Theme.gap3
        AppIcon {
            Layout.alignment: Qt.AlignTop
            glyph: notice.tone === "good" ? Icons.check : Icons.warning
            color: Theme.toneColor(notice.tone)
        }
        AppText {
            Layout.fillWidth: true
            text: notice.text
        }
        AppButton {
            visible: notice.actionText !== ""
            objectName: notice.objectName + "Action"
            text: notice.actionText
            onClicked: notice.action()
        }
        IconButton {
            visible: notice.closable
            glyph: Icons.close
            text: qsTr("Close this message")
            onClicked: notice.closed()
        }
    }
}
