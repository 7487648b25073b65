// AppComboBox: one of a few strings.
import QtQuick
import QtQuick.Controls.Basic

ComboBox {
    id: box
    property string label: ""

    implicitHeight: Theme.controlHeight
    implicitWidth: 220
    leftPadding: Theme.gap3
    font.pixelSize: Theme.body
    Accessible.name: label

    contentItem: AppText {
        text: box.displayText
        elide: Text.ElideRight
        wrapMode: Text.NoWrap
        verticalAlignment: Text.AlignVCenter
        rightPadding: 28
    }
    indicator: AppIcon {
        x: box.width - width - Theme.gap3
        y: (box.height - height) / 2
        glyph: Icons.down
        size: 16
        color: Theme.muted
    }
    background: Rectangle {
        radius: Theme.controlRadius
        color: box.down ? Theme.pressed : box.hovered ? Theme.hover : Theme.raised
        border.color: Theme.controlBorder
        FocusRing { shown: box.visualFocus }
    }
    delegate: ItemDelegate {
        id: option
        required property int index
        required property string modelData
        width: ListView.view ? ListView.view.width : 0
        implicitHeight: 34
        highlighted: box.highlightedIndex === index
        text: modelData
        Accessible.name: modelData
        contentItem: AppText {
            text: option.modelData
            elide: Text.ElideRight
            wrapMode: Text.NoWrap
            verticalAlignment: Text.AlignVCenter
        }
        background: Rectangle {
            radius: 6
            color: option.highlighted ? Theme.hover : "transparent"
        }
    }
    popup: Popup {
        y: box.height + 4
        width: box.width
        implicitHeight: Math.min(contentItem.implicitHeight + 2 * padding, 320)
        padding: Theme.gap1
        contentItem: ListView {
            clip: true
            implicitHeight: contentHeight
            model: box.delegateModel
            currentIndex: box.highlightedIndex
        }
        background: Rectangle {
            radius: Theme.controlRadius
            color: Theme.raised
            border.color: Theme.controlBorder
        }
    }
}
