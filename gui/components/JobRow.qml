// JobRow: work in progress or done: what, how far, how long still.
import QtQuick
import QtQuick.Layouts

RowLayout {
    id: row
    property string title
    property string detail
    property string stateText
    property string timeText
    property string tone
    property real progress
    property bool isRunning
    property bool canCancel: true
    property string actionText: ""
    signal cancelled()
    signal action()

    spacing: Theme.gap4
    Layout.fillWidth: true

    ColumnLayout {
        Layout.fillWidth: true
        spacing: Theme.gap1
        AppText {
            Layout.fillWidth: true
            text: row.title
            elide: Text.ElideRight
            wrapMode: Text.NoWrap
        }
        AppText {
            Layout.fillWidth: true
            kind: "small"
            text: row.detail
            visible: text !== ""
        }
        Meter {
            Layout.fillWidth: true
            Layout.topMargin: Theme.gap1
            visible: row.isRunning
            value: row.progress
            label: row.title
        }
    }
    AppText {
        kind: "small"
        text: row.timeText
        wrapMode: Text.NoWrap
    }
    Badge {
        text: row.stateText
        tone: row.tone
    }
    AppButton {
        visible: row.actionText !== ""
        text: row.actionText
        onClicked: row.action()
    }
    IconButton {
        visible: row.isRunning && row.canCancel
        glyph: Icons.close
        text: qsTr("Cancel %1").arg(row.title)
        onClicked: row.cancelled()
    }
}
