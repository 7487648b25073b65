// Theme: the design language in one place. Warm neutrals, one accent (the ember), a spacing scale and a type scale.
pragma Singleton
import QtQuick

QtObject {
    property bool dark: false

    // surfaces, from the back to the front
    readonly property color window: dark ? "#171513" : "#f7f5f2"
    readonly property color sidebar: dark ? "#1c1a17" : "#f0ede8"
    readonly property color card: dark ? "#211e1b" : "#ffffff"
    readonly property color raised: dark ? "#2b2723" : "#ffffff"
    readonly property color sunken: dark ? "#1a1816" : "#f7f5f2"
    readonly property color hover: dark ? "#2b2723" : "#f1ede7"
    readonly property color pressed: dark ? "#37322d" : "#e6e0d8"
    readonly property color border: dark ? "#36312c" : "#e5dfd6"
    readonly property color controlBorder: dark ? "#4d463f" : "#cfc7bb"
    readonly property color shade: dark ? "#b3000000" : "#66201a14"

    // text
    readonly property color text: dark ? "#f2ede6" : "#211c17"
    readonly property color muted: dark ? "#b3a99c" : "#665d52"
    readonly property color faint: dark ? "#8d8377" : "#857b6f"

    // the one accent, and its tint
    readonly property color accent: dark ? "#f58d56" : "#bf4414"
    readonly property color accentHover: dark ? "#ff9f6d" : "#a93a0f"
    readonly property color accentPressed: dark ? "#d97a47" : "#8f310c"
    readonly property color accentInk: dark ? "#24130a" : "#ffffff"
    readonly property color accentSoft: dark ? "#3a2820" : "#fbeae1"
    readonly property color accentBorder: dark ? "#5d3d2c" : "#f0cdb9"

    // what things mean
    readonly property color good: dark ? "#7cc492" : "#2c7a47"
    readonly property color goodSoft: dark ? "#1e3026" : "#e5f3e9"
    readonly property color busy: dark ? "#e4b85f" : "#8a5b00"
    readonly property color busySoft: dark ? "#352b18" : "#fcf1d9"
    readonly property color bad: dark ? "#f08a80" : "#b3261e"
    readonly property color badSoft: dark ? "#3a2220" : "#fce8e6"
    readonly property color info: dark ? "#86b5e8" : "#2b6099"

    function toneColor(tone: string): color {
        return tone === "good" ? good : tone === "bad" ? bad : tone === "busy" ? busy : muted
    }
    function toneSoft(tone: string): color {
        return tone === "good" ? goodSoft : tone === "bad" ? badSoft : tone === "busy" ? busySoft : hover
    }

    // spacing
    readonly property int gap1: 4
    readonly property int gap2: 8
    readonly property int gap3: 12
    readonly property int gap4: 16
    readonly property int gap5: 24
    readonly property int gap6: 32
    readonly property int gap7: 48

    // type
    readonly property int small: 12
    readonly property int body: 14
    readonly property int heading: 16
    readonly property int title: 24
    readonly property int display: 30
    readonly property string mono: "DejaVu Sans Mono"
    readonly property list<string> monoFamilies: [mono, "Noto Sans Mono", "Noto Sans Mono CJK SC", "Noto Color Emoji"]

    // shapes
    readonly property int controlHeight: 38
    readonly property int controlRadius: 9
    readonly property int cardRadius: 14
    readonly property int pageWidth: 860

    // narrower than this a page gives up what lies beside it
    readonly property int narrow: 860

    readonly property int quick: 120  // ms, of every small transition
}
