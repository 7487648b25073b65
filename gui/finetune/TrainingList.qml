// TrainingList: every training of this box; one click comes back to it.
import QtQuick
import QtQuick.Layouts
import Hearth

Card {
    id: card
    required property FineTune fineTune

    AppText {
        kind: "heading"
        text: qsTr("Your fine-tunes")
        visible: rows.count > 0
    }
    Repeater {
        id: rows
        model: card.fineTune.jobs
        delegate: JobRow {
            actionText: qsTr("Open")
            onAction: card.fineTune.openJob(jobId)
            onCancelled: card.fineTune.jobs.cancel(jobId)
        }
    }
    ColumnLayout {
        visible: rows.count === 0
        Layout.fillWidth: true
        Layout.margins: Theme.gap4
        spacing: Theme.gap3
        AppIcon { Layout.alignment: Qt.AlignHCenter; glyph: Icons.sliders; size: 40; color: Theme.faint }
        AppText { Layout.alignment: Qt.AlignHCenter; kind: "heading"; text: qsTr("Nothing trained yet") }
        AppText {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            kind: "muted"
            text: qsTr("Bring a file with questions and answers. In four steps you have a model that knows them, "
                       + "see how its answers changed, and chat with it.")
        }
    }
}
