// JobRow: work in progress or done: what, how far, how long still. A delegate of JobListModel: everything that a job says
// is required, because a model fills only what is required as soon as one property of the delegate is.
import QtQuick
import QtQuick.Layouts

RowLayout {
    id: row
    required property string jobId
    required property string title
    required property string detail
    required property string stateText
    required property string timeText
    required property string tone
    required property real progress
    required property bool isRunning
    property bool canCancel: true
    property string actionText: ""
    signal cancelled()
    signal action()

    objectName: "job:" + jobId
    spacing: Theme.gap4
    Layout.fillWidth: true

    Column {  // no layout: a card full of rows that a language changes all at once is a loop to Qt 6.4
        Layout.fillWidth: true
        Layout.preferredWidth: 1
        spacing: Theme.gap1
        AppText {
            objectName: "jobTitle"
            width: parent.width
            text: row.title
            elide: Text.ElideRight
            wrapMode: Text.NoWrap
        }
        AppText {
            objectName: "jobDetail"
            width: parent.width
            kind: "small"
            text: row.detail
            visible: text !== ""
        }
        Meter {
            width: parent.width
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
        objectName: "jobState"
        text: row.stateText
        tone: row.tone
    }
    AppButton {
        objectName: "jobAction"
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
