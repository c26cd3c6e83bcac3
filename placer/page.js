/* SPDX-License-Identifier: ISC */
/*
 * Asks the provider that served it, again and again, and shows what it is
 * told.  While nothing changes an answer has no body (ETag).  Everything comes
 * into the page as text, never as markup.
 */
"use strict";

const TICK_MS = 2000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const PATIENCE_MS = 8000;
const TYPING_MS = 250;

const $ = (id) => document.getElementById(id);

let tag = "";		/* of what is shown; "": ask for it anew */
let shown = null;	/* status, fleets, pods, devices: the last answers */
let heard = null;	/* the last answer came then */
let ahead = 0;		/* the provider's clock before ours, ms */
let failures = 0;	/* in a row */
let complaint = "";	/* what the provider says against a question */
let match = "";
const only = { pods: "", devices: "" };		/* a state, a reason */
const from = { pods: 0, devices: 0 };
let open = null;	/* what the dialog explains: a query */
let timer = 0;
let busy = false, again = false;

/* -- time and amounts -- */

const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

function age(stamp)
{
	const s = (Date.now() + ahead - Date.parse(stamp)) / 1000;

	if (stamp === "")
		return "";
	if (s < 60)
		return Math.max(0, Math.floor(s)) + " s ago";
	if (s < 3600)
		return Math.floor(s / 60) + " min ago";
	if (s < 48 * 3600)
		return Math.floor(s / 3600) + " h ago";
	return Math.floor(s / 86400) + " d ago";
}

const rounded = (n) => String(Math.round(n * 100) / 100);

function bytes(n)
{
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;

	for (; Math.abs(n) >= 1024 && i < units.length - 1; i++)
		n /= 1024;
	return rounded(n) + " " + units[i];
}

/* -- tables -- */

/*
 * A cell: its text; is: number, short or long; bad: a word of alarm; explains:
 * the question that its name asks when it is chosen.
 */
function set_cell(td, head, cell)
{
	const text = cell.text === "" ? "–" : cell.text;
	let word = td.firstChild;

	if (word === null) {
		word = document.createElement(
		    cell.explains ? "button" : "span");
		word.className = cell.explains ? "name" : "word";
		if (cell.explains) {
			word.type = "button";
			word.addEventListener("click", () => explain(td.query,
			    td.firstChild.textContent));
		}
		td.append(word);
		td.dataset.head = head;
	}
	td.query = cell.explains;
	if (word.textContent !== text)
		word.textContent = text;
	td.className = [cell.bad ? "bad" : "", cell.is ?? "",
	    cell.text === "" ? "none" : ""].join(" ").trim();
	td.title = cell.title ?? "";
}

function new_row(body, cells)
{
	const tr = document.createElement("tr");

	tr.setAttribute("role", "row");
	cells.forEach((cell, i) => {
		const td = document.createElement(i === 0 ? "th" : "td");

		td.setAttribute("role", i === 0 ? "rowheader" : "cell");
		if (i === 0)
			td.scope = "row";
		tr.append(td);
	});
	return tr;
}

/* Rows of the same key stay, so that who reads or tabs there is not moved. */
function fill(id, rows, key, cells)
{
	const body = $(id), old = new Map(), used = new Set();
	const heads = [...body.parentNode.tHead.rows[0].cells].map(
	    (th) => th.textContent);

	for (const tr of body.rows)
		old.set(tr.dataset.key, tr);
	rows.forEach((row, i) => {
		const them = cells(row);
		let k = key(row), tr;

		while (used.has(k))
			k += "'";
		used.add(k);
		tr = old.get(k) ?? new_row(body, them);
		tr.dataset.key = k;
		them.forEach((cell, n) =>
		    set_cell(tr.cells[n], heads[n], cell));
		if (body.rows[i] !== tr)
			body.insertBefore(tr, body.rows[i] ?? null);
	});
	while (body.rows.length > rows.length)
		body.lastChild.remove();
}

const text = (s, is) => ({ text: String(s ?? ""), is });
const alarm = (s, bad, is) => ({ text: String(s), is, bad });

function fleet_cells(f)
{
	return [text(f.fleet === "" ? "(all devices)" : f.fleet), text(f.node),
	    text(f.devices, "number"),
	    alarm(f.waiting, f.waiting > 0, "number"),
	    alarm(f.writer, f.writer !== "yes", "short"),
	    alarm(f.listed, f.listed !== "yes", "short"),
	    alarm(f.brake === "yes" ? "on" : "off", f.brake === "yes",
	    "short")];
}

function pod_cells(p)
{
	const calm = p.state === "RUNNING" || p.state === "DONE";
	const name = p.namespace + "/" + p.pod;

	return [{ text: name, explains: "pod=" + encodeURIComponent(name) },
	    alarm(p.state, !calm || p.why !== "", "short"), text(p.device),
	    { text: age(p.since), is: "short", title: p.since === "" ? "" :
	    new Date(p.since).toLocaleString("en-GB") }, text(p.why, "long")];
}

function device_cells(d)
{
	return [{ text: d.device,
	    explains: "device=" + encodeURIComponent(d.device) },
	    text(d.fleet), text(d.status, "short"),
	    alarm(d.placeable === "fit" ? "yes" : "no: " + d.placeable,
	    d.placeable !== "fit"), text(d.pods, "number"),
	    text(rounded(d["cpu-free-m"] / 1000) + " of " +
	    rounded(d["cpu-m"] / 1000), "number"),
	    text(bytes(d["memory-free"]) + " of " + bytes(d.memory), "number")];
}

function part_cells(r)
{
	const now = Date.parse(shown.status.about.now);
	const bad = ["silent", "down", "dying", "not linked", "left"];
	const since = r.figures.seconds === undefined ? "" :
	    new Date(now - r.figures.seconds * 1000).toISOString();

	return [text(r.about, "short"), text(r.name),
	    alarm(r.state, bad.includes(r.state), "short"),
	    text(age(since), "short"), text(r.text, "long")];
}

function explain_cells(r)
{
	return [text(r.about, "short"), text(r.name), text(r.verdict),
	    text(r.rule, "number"), text(r["left-s"] === null ? "" :
	    r["left-s"] + " s", "number"), text(r.text, "long")];
}

/* -- what is above the tables -- */

const part_of = (about) => shown.status.rows.find((r) => r.about === about);

function sentence()
{
	const provider = part_of("provider");

	if (shown.status.about.ready !== "yes")
		return "Not ready: " + shown.status.about.ready;
	return provider.state === "well" ? "Healthy: both APIs answer" :
	    "Trouble: " + provider.text;
}

/* Without those of which there is none. */
const some = (map) => Object.fromEntries(
    Object.entries(map).filter(([, n]) => n > 0));

const plural = (n, word) => n + " " + word + (n === 1 ? "" : "s");
const total = (map) => Object.values(map).reduce((a, b) => a + b, 0);

function facts()
{
	const fleets = shown.fleets.rows;
	const held = fleets.filter((f) => f.writer === "yes").length;

	return plural(fleets.length, "fleet") + ", " +
	    plural(total(shown.status.about.placeable), "device") + ", " +
	    plural(total(part_of("pods").figures), "pod") +
	    "; the apiserver " + (part_of("apiserver").figures.answers ?
	    "answers" : "does not answer") + ", Flightctl " +
	    (part_of("flightctl").figures.answers ? "answers" :
	    "does not answer") + "; writer for " + held + " of " +
	    plural(fleets.length, "fleet");
}

/* Those that no other table has. */
const is_part = (r) => !["provider", "node", "pods", "waits"].includes(r.about);

/* Each a button that shows only those. */
function sum(what, counts, words)
{
	const p = $(what + "-sum"), chosen = only[what];
	const want = Object.entries(chosen === "" ? counts :
	    { [chosen]: 0, ...counts });

	want.forEach(([name, n], i) => {
		const b = p.children[i] ?? document.createElement("button");
		const says = (words[name] ?? name) + " " + n;

		if (b.parentNode === null) {
			b.type = "button";
			b.className = "count";
			b.addEventListener("click",
			    () => show_only(what, b.dataset.by));
			p.append(b);
		}
		b.dataset.by = name;
		b.setAttribute("aria-pressed", chosen === name);
		if (b.textContent !== says)
			b.textContent = says;
	});
	while (p.children.length > want.length)
		p.lastChild.remove();
}

function set_text(id, words)
{
	if ($(id).textContent !== words)
		$(id).textContent = words;
}

function pages(id, about, rows)
{
	const nav = $(id + "-nav"), last = about.from + rows;

	nav.hidden = about.from === 0 && last >= about.matched;
	nav.querySelector(".back").disabled = about.from === 0;
	nav.querySelector(".on").disabled = last >= about.matched;
	nav.querySelector("span").textContent = (rows === 0 ? "none" :
	    about.from + 1 + "–" + last) + " of " + about.matched;
	set_text(id + "-title", (id === "pods" ? "Pods" : "Devices") +
	    (about.matched === about.all ? "" :
	    ": " + about.matched + " of " + about.all));
}

function draw_health()
{
	const lost = failures > 0;
	const words = !lost ? complaint !== "" ? complaint : sentence() :
	    heard === null ? "No answer yet" :
	    "No answer since " + clock(heard);

	set_text("health", words);
	$("health").classList.toggle("bad", !words.startsWith("Healthy"));
	document.body.classList.toggle("stale", lost);
	document.title = (lost ? "No answer" : words.split(":")[0]) +
	    " – vk-flightctl-provider";
	set_text("sides", shown === null ? "" : lost ?
	    "What is below is from then. The provider is asked again." :
	    facts());
}

function draw()
{
	draw_health();
	if (shown === null)
		return;
	$("main").hidden = false;
	fill("fleets", shown.fleets.rows, (f) => f.node, fleet_cells);
	fill("pods", shown.pods.rows, (p) => p.namespace + "/" + p.pod,
	    pod_cells);
	fill("devices", shown.devices.rows, (d) => d.device, device_cells);
	fill("parts", shown.status.rows.filter(is_part),
	    (r) => r.about + " " + r.name + " " + r.text, part_cells);
	sum("pods", some(part_of("pods").figures), {});
	sum("devices", shown.status.about.placeable, { fit: "take pods" });
	pages("pods", shown.pods.about, shown.pods.rows.length);
	pages("devices", shown.devices.about, shown.devices.rows.length);
}

/* -- asking -- */

class Refused extends Error {
}

/* null: as it was. */
async function ask(path, known)
{
	const r = await fetch(path, { cache: "no-store",
	    headers: known ? { "If-None-Match": known } : {},
	    signal: AbortSignal.timeout(PATIENCE_MS) });
	const answer = r.status === 304 ? null : await r.json();

	heard = Date.now();
	if (answer !== null && !r.ok)
		throw new Refused(answer.error);
	return answer === null ? null : { answer, tag: r.headers.get("ETag") };
}

const part = (what) => "/api/" + what + "?match=" +
    encodeURIComponent(match) + "&only=" + encodeURIComponent(only[what]) +
    "&from=" + from[what];

async function look()
{
	const status = await ask("/api/status", tag);

	if (open !== null)
		look_closer();
	if (status === null)
		return;
	ahead = Date.parse(status.answer.about.now) - Date.now();
	if (Math.abs(ahead) < 2000)
		ahead = 0;
	const [fleets, pods, devices] = await Promise.all([
	    ask("/api/fleets"), ask(part("pods")), ask(part("devices"))]);

	shown = { status: status.answer, fleets: fleets.answer,
	    pods: pods.answer, devices: devices.answer };
	tag = again ? "" : status.tag;
}

/* Rows that went take the page that they were on with them. */
function step_back()
{
	for (const what of ["pods", "devices"])
		if (from[what] > 0 && from[what] >= shown[what].about.matched) {
			from[what] = 0;
			tag = "";
			again = true;
		}
}

async function tick()
{
	clearTimeout(timer);
	if (busy) {
		again = true;
		return;
	}
	busy = true;
	again = false;
	try {
		await look();
		failures = 0;
		complaint = "";
		step_back();
	} catch (e) {
		complaint = e instanceof Refused ? "Refused: " + e.message : "";
		failures = complaint === "" ? failures + 1 : 0;
		tag = "";
	}
	draw();
	busy = false;
	if (!document.hidden)
		timer = setTimeout(tick, again ? 0 : failures === 0 ? TICK_MS :
		    RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
}

function ask_anew()
{
	tag = "";
	tick();
}

/* -- one of them -- */

async function look_closer()
{
	const query = open;
	let rows = [], none = "";

	try {
		rows = (await ask("/api/explain?" + query)).answer.rows;
	} catch (e) {
		if (!(e instanceof Refused))
			return;
		none = e.message;
	}
	if (query !== open)
		return;
	set_text("explained-none", none);
	fill("explain", rows, (r) => r.about + " " + r.name, explain_cells);
}

function explain(query, name)
{
	open = query;
	set_text("explained-title", name);
	set_text("explained-none", "");
	$("explain").replaceChildren();
	$("explained").showModal();
	look_closer();
}

/* -- who uses it -- */

function filter_by(words)
{
	match = words;
	from.pods = from.devices = 0;
	ask_anew();
}

function show_only(what, word)
{
	only[what] = only[what] === word ? "" : word;
	from[what] = 0;
	ask_anew();
}

function turn(what, by)
{
	from[what] = Math.max(0, from[what] + by);
	ask_anew();
	$(what + "-title").scrollIntoView();
}

function begin()
{
	let typing = 0;

	$("search").addEventListener("submit", (e) => e.preventDefault());
	$("filter").addEventListener("input", () => {
		clearTimeout(typing);
		typing = setTimeout(() => filter_by($("filter").value),
		    TYPING_MS);
	});
	for (const what of ["pods", "devices"]) {
		const nav = $(what + "-nav");

		nav.querySelector(".back").addEventListener("click",
		    () => turn(what, -100));
		nav.querySelector(".on").addEventListener("click",
		    () => turn(what, 100));
	}
	$("explained").addEventListener("close", () => {
		open = null;
	});
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden)
			tick();
	});
	tick();
}

begin();
