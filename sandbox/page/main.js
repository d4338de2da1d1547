// The page of one person: everything is wired here, and wired anew when somebody else acts.

import { readAddress, writeAddress } from "./address.js";
import { get, words } from "./api.js";
import { fill, h } from "./dom.js";
import { createInspector } from "./inspector.js";
import { follow, settled } from "./live.js";
import { createModals } from "./modal.js";
import { channelPane, homePane, threadPane } from "./panes.js";
import { createDirectory } from "./people.js";
import { createSidebar } from "./sidebar.js";
import { createToasts } from "./toast.js";
import { createTopbar } from "./topbar.js";

/** Who acts where the address names nobody: the first reviewer of the workspace that comes with the program. */
const FIRST_PERSON = "U0ANA";

const root = document.getElementById("page");
const toast = createToasts();
let leave = () => {};
let current = null;

async function start(as = FIRST_PERSON) {
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
  const topbar = createTopbar(page, (id) => become(page, id));
  fill(root, topbar, h("div", { class: "columns" }, sidebar.node, panes), inspector.node, footer(inspector.toggle));
  Object.assign(page, { sidebar, panes, modals, topbar });
  page.go = (channel, thread = null) => go(page, channel, thread);
  current = page.go;
  const { channel, thread, ts } = readAddress();
  go(page, channel ?? firstChannel(page), thread);
  if (ts) await point(page, ts);
  const stop = listen(page);
  await modals.refresh();
  return () => (stop(), modals.dispose(), inspector.dispose());
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
  return page.workspace.channels.some((one) => one.id === page.place.channel && one.kind !== "im");
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
  if (moved) page.shown.main = wanted === "home" ? homePane(page) : channelPane(page, channel);
  if (threadMoved) page.shown.thread = channel && thread ? threadPane(page, channel, thread) : null;
  page.sidebar.show();
  if (threadMoved) put(page);
  page.panes.classList.toggle("with-thread", Boolean(page.shown.thread));
  refresh(page);
  (page.shown.thread ?? page.shown.main).focus();
  document.title = `${channel?.name ?? "Home"} · ${page.workspace.team.name}`;
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
  await page.shown.main.refresh();
  const message = [...page.panes.querySelectorAll(".message")].find((one) => one.dataset.ts === ts);
  message?.scrollIntoView({ block: "center" });
  message?.classList.add("pointed");
}

function refresh(page) {
  for (const pane of Object.values(page.shown)) pane?.refresh().catch((error) => toast(error.message));
}

async function reloadWorkspace(page) {
  page.workspace = await get("/people/workspace", { as: page.me });
  page.directory = createDirectory(page.workspace);
  page.sidebar.show();
}

function listen(page) {
  const failed = (error) => toast(error.message);
  const panes = settled(() => refresh(page), failed);
  const views = settled(() => page.modals.refresh(), failed);
  const workspace = settled(() => reloadWorkspace(page), failed);
  const arrived = ({ channel, message }) => {
    if (!page.workspace.channels.some((one) => one.id === channel)) workspace();
    if (channel !== page.place.channel && message?.user !== page.me) page.unread.add(channel);
    page.sidebar.show();
    panes();
  };
  const events = {
    message: arrived,
    ephemeral: arrived,
    message_changed: panes,
    message_deleted: panes,
    home: panes,
    view: views,
    channel: workspace,
    toast: ({ error }) => toast(words(error)),
  };
  const connected = (yes) => fill(page.topbar.querySelector(".lost"), yes ? "" : "Connection lost, trying again…");
  return follow(page.me, { events, connected, reconnected: () => (panes(), views(), workspace()) });
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
