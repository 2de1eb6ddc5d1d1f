// The checks panel and the marks in the lesson's task list.

import { $, $$, button, el, set, type Child } from "./_dom.ts";
import { count, faultTitle } from "./_format.ts";
import type { CheckEvent } from "./protocol.ts";
import type { Checks } from "./_runs.ts";
import { stopped } from "./_response.ts";
import { logLine, place, verdict } from "./_values.ts";

const mostLines = 50;

function body(c: CheckEvent): HTMLElement {
  const row = (name: string, ...value: Child[]) => el("div", null, el("dt", null, name), el("dd", null, ...value));
  const where = place(c.frame, true);
  return el("dl", { class: "check_body" },
    c.request && row("We sent", c.request),
    c.expected !== undefined && row("Expected", c.expected),
    (c.got !== undefined || c.fault) && el("div", null, el("dt", null, "Got"),
      el("dd", { class: "check_got" }, c.got || (c.fault ? faultTitle(c.fault) : ""), where && el("br"), where)),
    c.logs?.length && el("div", { class: "check_log" }, el("dt", null, "Your log"),
      el("dd", { class: "log" }, ...c.logs.slice(0, mostLines).map((l) => logLine(l)),
        c.logs.length > mostLines && el("p", { class: "c" }, `${count(c.logs.length - mostLines, "more line")}`))));
}

function one(c: CheckEvent): HTMLElement {
  const state = c.state === "passed" ? "pass" : c.state === "failed" ? "fail" : "none";
  return el("div", { class: "check", id: c.task ? `check-${c.task}` : null },
    el("div", { class: "check_head" }, verdict(state, c.task),
      el("div", null, el("h3", null, c.name ?? ""),
        c.state === "running" ? el("p", null, "Running") : c.message && el("p", null, c.message))),
    c.state === "failed" && body(c));
}

/** One sentence on where the checks stand. */
export function standing(checks: Checks): string {
  if (checks.refused) return checks.refused;
  if (!checks.over) return "Checks are running.";
  if (checks.total && checks.passed === checks.total) return checks.total === 1 ? "It passes." : `All ${checks.total} pass.`;
  return `${checks.passed} of ${checks.total} pass.`;
}

/** Draws the panel. */
export function drawChecks(panel: HTMLElement, checks: Checks): void {
  if (!checks.id) return;
  const failed = checks.list.find((c) => c.state === "failed");
  const where = failed && checks.over ? place(failed.frame) : null;
  set(panel, $(".panel_name", panel),
    el("div", { class: "panel_head" },
      el("p", { class: "panel_say" }, standing(checks), where && ` Check ${failed?.task ?? ""} stopped at `, where, where && "."),
      checks.over ? button("run-checks", "Run checks", {}, "run") : button("cancel-checks", "Cancel")),
    checks.fault && stopped(checks.fault),
    ...checks.list.map(one));
}

/** Marks the tasks of the lesson. Several checks of one task must all pass. */
export function markTasks(checks: Checks): void {
  for (const task of $$("[data-task]")) {
    const own = checks.list.filter((c) => c.task === Number(task.dataset.task));
    if (!own.length) continue;
    const failed = own.find((c) => c.state === "failed");
    const state = failed ? "fail" : own.every((c) => c.state === "passed") ? "pass" : "none";
    $(".verdict", task)?.replaceWith(verdict(state, Number(task.dataset.task)));
    const words = $(".task_state", task);
    if (!words) continue;
    words.hidden = false;
    words.classList.toggle("task_state-fail", !!failed);
    set(words, failed
      ? el("a", { href: "#panel-checks", "data-open": "checks" }, failed.message || failed.name || "Not yet")
      : state === "pass" ? (own[0]?.message && own[0].state === "passed" ? own[0].message : "Passed") : "");
  }
  tally();
}

/** Brings the counts in the bar and on the phone's switch up to date: tasks done, and points of a challenge. */
function tally(): void {
  const all = $$(".task[data-task]");
  const done = all.filter((t) => $(".verdict-pass", t));
  const points = done.reduce((sum, t) => sum + Number(t.dataset.points ?? 0), 0);
  const note = $("#note");
  const text = note?.textContent ?? "";
  const now = text.replace(/\d+ of (\d+ tasks?)/, `${done.length} of $1`).replace(/\d+ of (\d+ points?)/, `${points} of $1`);
  if (note && now !== text) note.textContent = now;
  const lesson = $("#switch-lesson");
  if (lesson && all.length) lesson.textContent = `${done.length} of ${all.length}`;
}
