"use strict";
// A vault's folder as argument and what a person does on stdin, in; what the plugin Shell commands did, as JSON, out.
//
// A stand-in for Obsidian, written for this: enough of its module for the plugin's own main.js to be loaded from the
// vault, to register its commands, to ask in its prompt, and to start what it starts. What is not spelled out here is
// an object that takes every call and does nothing.

const fs = require("fs");
const path = require("path");
const children = require("child_process");
const Module = require("module");

const vault = process.argv[2];
const person = JSON.parse(fs.readFileSync(0, "utf8"));
const folder = path.join(vault, ".obsidian/plugins/obsidian-shellcommands");
const settings = path.join(folder, "data.json");
const manifest = JSON.parse(fs.readFileSync(path.join(folder, "manifest.json"), "utf8"));
const did = { commands: {}, menu: [], saved: 0, said: [], markup: [], windows: [], opened: [], ran: [], failed: [] };

/** Takes every call, holds what is put into it. */
function thing(own = {}) {
    return new Proxy(function () {}, {
        get(_, key) {
            if (key in own) return own[key];
            if (key === "then") return undefined;
            if (key === Symbol.toPrimitive) return () => "";
            if (key === Symbol.iterator) return [][Symbol.iterator].bind([]);
            return (own[key] = thing());
        },
        set: (_, key, value) => ((own[key] = value), true),
        has: (_, key) => key in own,
        apply: () => thing(),
        construct: () => thing(),
    });
}

/** Like a thing, but what is unknown returns the object itself, so that calls can be chained. */
function chain(own) {
    const self = new Proxy(own, {
        get(_, key) {
            if (key in own) return own[key];
            return (own[key] = String(key).endsWith("El") ? thing() : () => self);
        },
    });
    return self;
}

function component(kind) {
    const changed = [];
    const own = {
        kind,
        value: "",
        changed,
        clicked: null,
        getValue: () => own.value,
        setValue: (value) => ((own.value = value), self),
        onChange: (callback) => (changed.push(callback), self),
        onClick: (callback) => ((own.clicked = callback), self),
        then: (callback) => (callback(self), self),
    };
    const self = chain(own);
    return self;
}

let front = null; // the window whose fields are being made

class Setting {
    constructor() {
        const own = { components: [], then: (callback) => (callback(self), self) };
        for (const kind of ["Text", "TextArea", "Button", "ExtraButton", "Dropdown", "Toggle"]) {
            own["add" + kind] = (callback) => {
                const made = component(kind);
                own.components.push(made);
                front?.components.push(made);
                callback(made);
                return self;
            };
        }
        const self = chain(own);
        return self;
    }
}

class Modal {
    constructor(app) {
        Object.assign(this, { app, modalEl: thing(), contentEl: thing(), scope: thing(), components: [] });
        this.titleEl = thing({ innerText: "" });
        front = this;
    }
    open() {
        Promise.resolve(this.onOpen()).then(() => meet(this));
    }
    close() {
        this.onClose();
    }
    onOpen() {}
    onClose() {}
}

/** What the person does in a window: fills in the one line that is asked for and presses the button, or reads. */
async function meet(window) {
    const { components } = window;
    const asked = components.find((each) => each.kind === "Text");
    if (!asked) {
        const texts = components.filter((each) => each.kind === "TextArea").map((each) => each.value);
        did.windows.push({ title: window.titleEl.innerText, texts: texts.filter(Boolean) });
    } else if (person.answer === undefined) {
        window.close();
    } else {
        asked.setValue(person.answer);
        for (const callback of asked.changed) await callback(person.answer);
        components.filter((each) => each.kind === "Button").at(-1).clicked();
    }
}

class TFile {
    constructor(file) {
        const { base, name, ext } = path.posix.parse(file);
        Object.assign(this, { path: file, name: base, basename: name, extension: ext.slice(1), parent: thing() });
    }
}
class FileSystemAdapter {
    getBasePath() {
        return vault;
    }
}
class MarkdownView {
    editor = { somethingSelected: () => Boolean(person.selection), getSelection: () => person.selection };
    getMode() {
        return "source";
    }
}
class Notice {
    constructor(message) {
        (message.markup === undefined ? did.said : did.markup).push(message.markup ?? message);
    }
    hide() {}
    setMessage() {}
}

const commands = [];
class Plugin {
    constructor(app, manifest) {
        Object.assign(this, { app, manifest });
    }
    addCommand(command) {
        commands.push(command);
        command.id = `${manifest.id}:${command.id}`;
        command.name = `${manifest.name}: ${command.name}`;
        did.commands[command.id] = command.name;
        return command;
    }
    async loadData() {
        return fs.existsSync(settings) ? JSON.parse(fs.readFileSync(settings, "utf8")) : null;
    }
    async saveData(data) {
        did.saved += 1;
        fs.writeFileSync(settings, JSON.stringify(data, null, 2));
    }
}
for (const name of "SettingTab RibbonIcon StatusBarItem".split(" ")) Plugin.prototype["add" + name] = thing;
for (const name of "View EditorExtension ObsidianProtocolHandler Event Interval DomEvent".split(" ")) {
    Plugin.prototype["register" + name] = thing;
}

const known = {
    Modal,
    Setting,
    TFile,
    FileSystemAdapter,
    MarkdownView,
    Notice,
    Plugin,
    Platform: { isMacOS: false },
    apiVersion: "1.12.7",
    getIconIds: () => [],
    normalizePath: (text) =>
        text.replace(/[\\/]+/g, "/").replace(/^\/|\/$/g, "").replace(/\u00a0|\u202f/g, " ").normalize("NFC") || "/",
    sanitizeHTMLToDom: (markup) => ({ markup }), // what is handed over to be drawn, scripts taken out
};
const obsidian = new Proxy(known, {
    get: (_, key) => (known[key] ??= /^[A-Z]/.test(String(key)) ? class {} : thing()),
});

let active = null; // the note that is open
const turn = (note) => (active = note === undefined ? null : new TFile(note));
const ready = [];
const listeners = [];
const app = thing({
    vault: thing({ adapter: new FileSystemAdapter(), configDir: ".obsidian", getName: () => path.basename(vault) }),
    workspace: thing({
        getActiveFile: () => active,
        getActiveViewOfType: (type) => (active && type === MarkdownView ? new MarkdownView() : null),
        onLayoutReady: (callback) => ready.push(callback),
        on: (name, callback) => (listeners.push({ name, callback }), {}),
        openLinkText: async (link) => did.opened.push(link),
        getLeavesOfType: () => [],
    }),
    metadataCache: thing({
        getFileCache: () => null,
        getFirstLinkpathDest: (link) => (fs.existsSync(path.join(vault, link)) ? new TFile(link) : null),
    }),
    plugins: { disablePlugin: async (id) => did.failed.push(`${id} disabled itself`) },
});

/** What Obsidian adds to the language, and what a browser has. */
function furnish() {
    const add = (to, key, value) => Object.defineProperty(to, key, { value, configurable: true, writable: true });
    add(Array.prototype, "contains", Array.prototype.includes);
    add(String.prototype, "contains", String.prototype.includes);
    add(Array.prototype, "first", function () { return this[0]; });
    add(Array.prototype, "last", function () { return this.at(-1); });
    add(Array.prototype, "remove", function (item) { if (this.includes(item)) this.splice(this.indexOf(item), 1); });
    add(Object, "each", (object, callback) => Object.entries(object).forEach(([key, value]) => callback(value, key)));
    const target = new EventTarget();
    require("events").setMaxListeners(0, target);
    const [addEventListener, dispatchEvent] = [target.addEventListener.bind(target), target.dispatchEvent.bind(target)];
    add(globalThis, "document", thing({ addEventListener, dispatchEvent }));
    add(globalThis, "navigator", { userAgent: "" });
    for (const name of ["addEventListener", "removeEventListener"]) add(globalThis, name, () => {});
    for (const name of ["HTMLElement", "DocumentFragment"]) add(globalThis, name, class {});
    add(globalThis, "window", globalThis);
    add(globalThis, "app", app);
}

/** Every program that is started is written down, by whatever way. */
function listen() {
    for (const way of ["spawn", "exec", "execFile", "fork", "spawnSync", "execSync", "execFileSync"]) {
        const start = children[way];
        children[way] = (command, ...rest) => {
            const options = rest.find((each) => each && typeof each === "object" && !Array.isArray(each)) ?? {};
            const words = Array.isArray(rest[0]) ? rest[0] : [];
            did.ran.push({ way, command, words, shell: options.shell ?? null, cwd: options.cwd ?? null });
            return start(command, ...rest);
        };
    }
    const clipboard = { readText: () => "what is in the clipboard", writeText: () => {} };
    const modules = { obsidian, electron: thing({ clipboard }) };
    const load = Module._load;
    Module._load = (name, ...rest) =>
        modules[name] ?? (name.startsWith("@codemirror/") ? thing() : load(name, ...rest));
}

/** Resolves when nothing is going on any more: no program runs, no timer waits. */
const idle = () => new Promise((done) => process.once("beforeExit", () => setImmediate(done)));

async function main() {
    furnish();
    listen();
    for (const event of ["unhandledRejection", "uncaughtException"]) {
        process.on(event, (reason) => did.failed.push(String(reason?.stack ?? reason)));
    }
    const Shell = require(path.join(folder, "main.js"));
    const plugin = new (Shell.default ?? Shell)(app, manifest);
    await plugin.onload();
    ready.forEach((callback) => callback());
    await idle();
    turn(person.before ?? person.note);
    const items = [];
    const menu = thing({
        addItem(callback) {
            const item = chain({ title: "", setTitle: (title) => ((item.title = title), item) });
            item.onClick = (clicked) => ((item.clicked = clicked), item);
            items.push(item);
            callback(item);
        },
    });
    listeners.filter((each) => each.name === "editor-menu").forEach((each) => each.callback(menu, null, null));
    commands.forEach((each) => each.checkCallback?.(true)); // the palette opens
    await idle();
    did.menu = items.map((item) => item.title);
    turn(person.note);
    if (person.menu !== undefined) {
        items.find((item) => item.title === person.menu).clicked();
    } else if (person.command !== undefined) {
        commands.find((each) => each.id === `${manifest.id}:shell-command-${person.command}`).checkCallback(false);
    }
    await idle();
}

main()
    .catch((error) => did.failed.push(String(error.stack)))
    .finally(() => process.stdout.write(JSON.stringify(did)));
