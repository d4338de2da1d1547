// The Home tab of an app.

import { get, post } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { fill, h } from "./dom.js";
import { again } from "./focus.js";
import { settled } from "./live.js";
import { paneHeader } from "./panes.js";
import { avatar } from "./people.js";
import { createScope } from "./scope.js";

/** @returns {import("./panes.js").Pane} */
export function homePane(page) {
  const [app] = page.workspace.apps;
  const body = h("div", { class: "home-body" });
  const label = `${app.name} Home`;
  const scroll = h("div", { class: "home-scroll", tabindex: "0", role: "region", "aria-label": label }, body);
  const node = h(
    "main",
    { class: "pane home", data: { pane: "home" } },
    paneHeader([avatar(app.bot_user, page.directory, "small"), app.name], "Home"),
    scroll,
  );
  const state = { page, app, body, shown: null, asked: 0 };
  const failed = (error) => page.toast(error.message);
  const soon = settled(() => refresh(state), failed);
  post("/people/open_home", { as: page.me }).catch(failed);
  const take = (event) => event === "home" && soon();
  return { node, refresh: () => refresh(state), take, focus: () => scroll.focus() };
}

async function refresh(state) {
  const turn = (state.asked += 1);
  const { view } = await get("/people/home", { as: state.page.me });
  if (turn === state.asked) show(state, view);
}

function show(state, view) {
  const { page, app, body } = state;
  const signature = JSON.stringify(view);
  if (signature === state.shown) return;
  state.shown = signature;
  const scope = view && createScope(page, { view_id: view.id }, page.entered(`view/${view.id}`));
  if (scope) scope.held = view.state?.values ?? {};
  const nothing = () => h("p", { class: "empty" }, `${app.name} has not published its Home tab yet.`);
  const { blockId, actionId } = body.contains(document.activeElement) ? document.activeElement.dataset : {};
  fill(body, scope ? drawBlocks(view.blocks, scope) : nothing());
  if (actionId) (again(body, blockId, actionId) ?? body.parentElement).focus({ preventScroll: true });
}
