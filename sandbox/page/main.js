// The page of one person: everything is wired here, and wired anew when somebody else acts.

import { readAddress, writeAddress } from "./address.js";
import { get, words } from "./api.js";
import { fill, h } from "./dom.js";
import { homePane } from "./home.js";
import { createInspector } from "./inspector.js";
import { follow, perFrame, settled } from "./live.js";
import { createModals } from "./modal.js";
import { channelPane, threadPane } from "./panes.js";
import { createDirectory } from "./people.js";
import { nameOf } from "./places.js";
import { createDrawer, createSidebar } from "./sidebar.js";
import { createToasts } from "./toast.js";
import { createTopbar } from "./topbar.js";

const root = document.getElementById("page");
const toast = createToasts();
const LOST = "The connection to the workspace is lost; trying again. What you see may be out of date.";
/** So long a channel must be quiet before it counts as read. */
const READ_MS = 700;
let leave = () => {};
let current = null;

/** Without a name in the address the workspace says who acts first. */
async function start(as) {
  leave();
  try {
    const workspace = await get("/people/workspace", { as });
    leave = await open(workspace);
  } catch (error) {
    fill(root, h("p", { class: "empty" }, `${error.message} `, h("a", { href: "/", class: "link" }, "Start again")));
  }
}

/** Build the page of one person. @returns {Promise<() => void>} takes it down again */
async function open(workspace) {
  const page = createPage(workspace);
  const inspector = createInspector();
  const sidebar = createSidebar(page);
  const panes = h("div", { class: "panes" });
  const modals = createModals(page);
  const drawer = createDrawer(root, sidebar.node);
  const lost = h("p", { class: "lost", role: "status" });
  const topbar = createTopbar(page, (id) => become(page, id), drawer.toggle);
  const columns = h("div", { class: "columns" }, sidebar.node, drawer.scrim, panes);
  fill(root, topbar, lost, columns, inspector.node, footer(inspector.toggle));
  Object.assign(page, { sidebar, panes, modals, lost, drawer, sidebarSoon: perFrame(sidebar.show) });
  page.go = (channel, thread = null) => go(page, channel, thread);
  current = page.go;
  const live = listen(page);
  await live.opened;
  await arrive(page, readAddress());
  await modals.refresh();
  return () => (live.stop(), modals.dispose(), inspector.dispose());
}

/** Go where the address points: a place, a thread, one message of either. */
async function arrive(page, { channel, thread, ts }) {
  const inThread = ts && channel ? await threadOf(page, channel, ts) : null;
  go(page, channel ?? firstChannel(page), thread ?? inThread);
  if (ts) await point(page, ts);
}

/** The thread that a message is a reply in, or null: a permalink names only the message. */
async function threadOf(page, channel, ts) {
  try {
    const { messages } = await get("/people/history", { as: page.me, channel, thread_ts: ts });
    const { thread_ts = ts } = messages.find((one) => one.ts === ts) ?? {};
    return thread_ts === ts ? null : thread_ts;
  } catch {
    return null;
  }
}

function createPage(workspace) {
  const entries = new Map();
  return {
    workspace,
    me: workspace.me.id,
    directory: createDirectory(workspace),
    place: { channel: null, thread: null },
    shown: { main: null, thread: null },
    unread: new Set(workspace.channels.filter((one) => one.unread).map((one) => one.id)),
    drafts: new Map(),
    offers: new Map(),
    toast,
    entered: (key) => entries.get(key) ?? entries.set(key, new Map()).get(key),
  };
}

function firstChannel(page) {
  return page.workspace.channels[0]?.id ?? "home";
}

function become(page, id) {
  writeAddress({
    as: id,
    channel: page.place.channel === "home" || isRoom(page) ? page.place.channel : "",
    thread: null,
  });
  start(id);
}

function isRoom(page) {
  return page.workspace.channels.some((one) => one.id === page.place.channel && !one.kind.endsWith("im"));
}

/** Show a channel, a direct message or "home", with or without a thread. */
function go(page, wanted, thread) {
  const channel = page.workspace.channels.find((one) => one.id === wanted);
  if (!channel && wanted !== "home") return go(page, firstChannel(page), null);
  const moved = page.place.channel !== wanted;
  const threadMoved = moved || page.place.thread !== thread;
  page.place = { channel: wanted, thread: channel ? thread : null };
  writeAddress({ as: page.me, ...page.place });
  page.unread.delete(wanted);
  page.drawer.close();
  if (moved) page.shown.main = wanted === "home" ? homePane(page) : channelPane(page, channel);
  if (threadMoved) page.shown.thread = channel && thread ? threadPane(page, channel, thread) : null;
  page.sidebar.show();
  if (threadMoved) put(page);
  page.panes.classList.toggle("with-thread", Boolean(page.shown.thread));
  if (moved) refresh(page, page.shown.main);
  if (threadMoved) refresh(page, page.shown.thread);
  (page.shown.thread ?? page.shown.main).focus();
  document.title = `${channel ? nameOf(page, channel, "") : "Home"} · ${page.workspace.team.name}`;
  return undefined;
}

/** The main pane stays where it is, and as it was scrolled, while a thread opens and closes beside it. */
function put({ panes, shown }) {
  const wanted = [shown.main.node, shown.thread?.node].filter(Boolean);
  for (const old of [...panes.children]) if (!wanted.includes(old)) old.remove();
  for (const node of wanted) if (node.parentNode !== panes) panes.append(node);
}

/** Bring one message into view: where a permalink leads. */
async function point(page, ts) {
  const pane = page.shown.thread ?? page.shown.main;
  await pane.refresh();
  await pane.reach?.(ts);
  const message = [...pane.node.querySelectorAll(".message")].find((one) => one.dataset.ts === ts);
  message?.scrollIntoView({ block: "center" });
  message?.classList.add("pointed");
}

function refresh(page, ...panes) {
  for (const pane of panes) pane?.refresh().catch((error) => toast(error.message));
}

async function reloadWorkspace(page) {
  page.workspace = await get("/people/workspace", { as: page.me });
  page.directory = createDirectory(page.workspace);
  page.sidebar.show();
}

function listen(page) {
  const failed = (error) => toast(error.message);
  const views = settled(() => page.modals.refresh(), failed);
  const workspace = settled(() => reloadWorkspace(page), failed);
  const read = settled(() => markRead(page), failed, READ_MS);
  const tell = (event) => (data) => {
    for (const pane of Object.values(page.shown)) pane?.take(event, data);
  };
  const arrived = (event) => (data) => {
    tell(event)(data);
    if (!page.workspace.channels.some((one) => one.id === data.channel)) workspace();
    if (data.channel === page.place.channel) read();
    else if (data.message?.user !== page.me) markUnread(page, data.channel);
  };
  const events = {
    message: arrived("message"),
    ephemeral: arrived("ephemeral"),
    message_changed: tell("message_changed"),
    message_deleted: tell("message_deleted"),
    agent: tell("agent"),
    home: tell("home"),
    view: views,
    channel: workspace,
    toast: ({ error }) => toast(words(error)),
  };
  const connected = (yes) => fill(page.lost, yes ? null : LOST);
  const reconnected = () => (refresh(page, page.shown.main, page.shown.thread), views(), workspace());
  return follow(page.me, { events, connected, reconnected });
}

function markUnread(page, channel) {
  page.unread.add(channel);
  page.sidebarSoon();
}

/** What arrives before a person's eyes is read: the workspace takes the question for the newest as that. */
async function markRead({ me, place }) {
  if (place.channel !== "home") await get("/people/history", { as: me, channel: place.channel, limit: 1 });
}

function footer(toggle) {
  return h("footer", { class: "footer" }, h("span", {}, "Local workspace: nothing leaves this computer"), toggle);
}

function addressChanged() {
  const { as, channel, thread } = readAddress();
  const here = root.querySelector("#acting-as")?.value;
  if (as && as !== here) start(as);
  else if (channel) current?.(channel, thread);
}

window.addEventListener("popstate", addressChanged);
start(readAddress().as ?? undefined);
