// FileChooser: a file or a folder of this machine, chosen by looking. The same on every desktop, in the theme and in words
// of Hearth.
import QtQuick
import Hearth

AppDialog {
    id: dialog
    property bool wantsFile: true
    property var patterns: []  // "*.jsonl"; none: every file
    signal pathChosen(string path)

    function show(path: string) {
        open()
        browser.begin(path)
    }
    function finish(path: string) {
        close()
        pathChosen(path)
    }

    title: wantsFile ? qsTr("Choose a file") : qsTr("Choose a folder")
    acceptText: qsTr("Choose")
    acceptEnabled: !wantsFile || browser.chosen !== ""
    closesOnAccept: false
    width: Math.min(640, maxWidth)
    onAcceptWanted: finish(browser.chosen !== "" ? browser.chosen : browser.folder)

    FolderBrowser {
        id: browser
        objectName: dialog.objectName
        width: parent.width
        wantsFile: dialog.wantsFile
        patterns: dialog.patterns
        onFileTaken: path => dialog.finish(path)
    }
}
