// The window: side bar, pages, shortcuts.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Hearth

ApplicationWindow {
    id: window
    required property Desktop app
    property string page: "home"
    readonly property list<string> pages: ["home", "chat", "models", "finetune", "updates", "settings"]
    readonly property bool systemIsDark: systemPalette.window.hslLightness < 0.5

    function openPage(name: string) {
        page = name
        focusPage()
        // Once more when what was clicked has been dealt with: a button that just became grey gives the keyboard away.
        Qt.callLater(focusPage) // qmllint disable
    }
    function focusPage() {
        if (page === "chat")
            chatPage.focusInput()
        else
            stack.children[stack.currentIndex].forceActiveFocus()
    }
    function chatWith(model: string) {
        app.chat.startNew()
        app.chat.model = model
        openPage("chat")
    }

    // No larger than the screen, which at 200 % is not large.
    width: Math.min(1100, Screen.desktopAvailableWidth)
    height: Math.min(720, Screen.desktopAvailableHeight)
    minimumWidth: 560
    minimumHeight: 380
    visible: true
    title: qsTr("Hearth")
    color: Theme.window

    SystemPalette { id: systemPalette }
    Binding {
        target: Theme
        property: "dark"
        value: window.app.settings.theme === "dark" || (window.app.settings.theme === "system" && window.systemIsDark)
    }

    Shortcut { sequence: "Ctrl+1"; onActivated: window.openPage("home") }
    Shortcut { sequence: "Ctrl+2"; onActivated: window.openPage("chat") }
    Shortcut { sequence: "Ctrl+3"; onActivated: window.openPage("models") }
    Shortcut { sequence: "Ctrl+4"; onActivated: window.openPage("finetune") }
    Shortcut { sequence: "Ctrl+5"; onActivated: window.openPage("updates") }
    Shortcut { sequences: ["Ctrl+6", "Ctrl+,"]; onActivated: window.openPage("settings") }
    Shortcut {
        sequences: [StandardKey.New]
        onActivated: {
            window.app.chat.startNew()
            window.openPage("chat")
        }
    }
    Shortcut { sequences: [StandardKey.Quit]; onActivated: Qt.quit() }

    RowLayout {
        anchors.fill: parent
        spacing: 0

        SideBar {
            Layout.fillHeight: true
            Layout.preferredWidth: isCompact ? 64 : 216
            isCompact: window.width < Theme.narrow
            connection: window.app.connection
            newPacks: window.app.updates.newCount
            page: window.page
            onPageChosen: name => window.openPage(name)
        }

        StackLayout {
            id: stack
            Layout.fillWidth: true
            Layout.fillHeight: true
            currentIndex: window.pages.indexOf(window.page)

            HomePage {
                home: window.app.home
                connection: window.app.connection
                library: window.app.library
                onPageRequested: name => window.openPage(name)
            }
            ChatPage {
                id: chatPage
                chat: window.app.chat
                onPageRequested: name => window.openPage(name)
            }
            ModelsPage {
                library: window.app.library
                isLocal: window.app.connection.isLocal
                onChatRequested: model => window.chatWith(model)
                onPageRequested: name => window.openPage(name)
            }
            FineTunePage {
                fineTune: window.app.fineTune
                // Somebody who has gone elsewhere in the meantime stays there.
                onChatRequested: model => {
                    if (window.page === "finetune")
                        window.chatWith(model)
                }
            }
            UpdatesPage {
                updates: window.app.updates
                library: window.app.library
                isLocal: window.app.connection.isLocal
                onPageRequested: name => window.openPage(name)
            }
            SettingsPage {
                settings: window.app.settings
                connection: window.app.connection
                home: window.app.home
            }
        }
    }
}
