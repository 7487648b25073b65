// AppIcon: one of Icons, in a colour of the theme.
import QtQuick
import QtQuick.Shapes

Shape {
    id: icon
    property string glyph
    property color color: Theme.text
    property real size: 20
    property bool filled: false
    property real lineWidth: 1.6

    width: size
    height: size
    implicitWidth: size
    implicitHeight: size
    Accessible.ignored: true

    ShapePath {
        strokeColor: icon.filled ? "transparent" : icon.color
        strokeWidth: icon.lineWidth
        fillColor: icon.filled ? icon.color : "transparent"
        capStyle: ShapePath.RoundCap
        joinStyle: ShapePath.RoundJoin
        scale: Qt.size(icon.size / 24, icon.size / 24)
        PathSvg { path: icon.glyph }
    }
}
