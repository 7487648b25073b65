// AppText: text in one of the theme's sizes.
import QtQuick

Text {
    property string kind: "body"  // display | title | heading | body | muted | small

    color: kind === "muted" || kind === "small" ? Theme.muted : Theme.text
    linkColor: Theme.accent
    font.pixelSize: kind === "display" ? Theme.display
                  : kind === "title" ? Theme.title
                  : kind === "heading" ? Theme.heading
                  : kind === "small" ? Theme.small : Theme.body
    font.bold: kind === "display" || kind === "title" || kind === "heading"
    wrapMode: Text.Wrap
    textFormat: Text.PlainText
}
