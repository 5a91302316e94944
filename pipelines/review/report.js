"use strict";
// The report's behaviour. Everything readable is in the page already, escaped by the template; this file only moves the
// player, the playhead and the selection. Times are seconds on the recording's clock unless a name says otherwise.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const player = $("#player"), lanes = $("#lanes"), scroller = $("#scroller"), over = $(".over");
const lineList = $("#lines"), lineButtons = $$("#lines .line");
const clipOf = new Map(data.clips.map((clip) => [clip.key, clip]));
const LABEL_PX = 64;        // smallest distance of two labels on the ruler
const CLOSEST_PX = 200;     // a second, zoomed in as far as it goes: words stand apart
const WIDEST_PX = 400000;   // what browsers still draw well
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

let origin = null;          // what the player shows: null, "recording", or a clip of data.clips
let recordingIsLost = !data.recording;
let active = player;        // the player that the keys act on
let position = 0;           // where the playhead stands
let chosen = null;          // key of the chosen item
let currentLine = -1;
let zoom = 1;

// --- times ----------------------------------------------------------------------------------------

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 0.0005));
  const two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// A clip plays its sources one after another: the same instant has a time on the recording's clock and one on the clip's.
function intoClip(clip, time) {
  let passed = 0;
  for (const [start, end] of clip.spans) {
    if (time >= start && time < end) return passed + time - start;
    passed += end - start;
  }
  return null;
}

function outOfClip(clip, clipTime) {
  let rest = clipTime;
  for (const [start, end] of clip.spans) {
    if (rest < end - start) return start + rest;
    rest -= end - start;
  }
  return clip.spans.length ? clip.spans[clip.spans.length - 1][1] : 0;
}

// --- the player -----------------------------------------------------------------------------------

function load(next) {
  if (origin === next) return;
  origin = next;
  player.src = next === "recording" ? data.recording : next.src;
  $("#origin").textContent = next === "recording" ? data.say.js_from_recording : data.say.js_from_clip;
}

function startWithClip() {
  const first = data.clips.find((clip) => clip.spans.length);
  if (!first) return;
  position = first.spans[0][0];
  load(first);
  draw();
}

function setTime(video, time) {
  const go = () => { video.currentTime = time; };
  if (video.readyState >= 1) go();
  else {
    video.addEventListener("loadedmetadata", go, { once: true });
    if (video.preload === "none") video.load();
  }
}

// Show an instant: in the recording when it is here, else in the preferred clip or any that holds it.
function seek(time, { prefer = null } = {}) {
  const was = active !== player && !active.paused;
  if (was) active.pause();
  active = player;
  position = clamp(time, 0, data.duration);
  document.body.classList.add("moved");
  notice("");
  if (!recordingIsLost) {
    load("recording");
    setTime(player, position);
  } else {
    const wanted = [clipOf.get(prefer), origin, ...data.clips].filter((clip) => clip && clip.spans);
    const clip = wanted.find((one) => intoClip(one, position) !== null);
    if (clip) {
      load(clip);
      setTime(player, intoClip(clip, position));
    } else {
      player.pause();
      notice(data.say.js_outside);
    }
  }
  draw({ follow: true });
}

function notice(text) {
  $("#notice").textContent = text;
  $("#notice").hidden = !text;
}

function playOrPause() {
  if (!active.paused) return active.pause();
  active.play().catch((error) => { if (error.name !== "AbortError") notice(data.say.js_lost); });
}

// Move by seconds of what is being watched, so that inside a clip the joints are no obstacle.
function nudge(seconds) {
  if (active === player && (!recordingIsLost || !origin)) return seek(position + seconds);
  active.currentTime = clamp(active.currentTime + seconds, 0, active.duration || 0);
  tick();
}

player.addEventListener("error", () => {
  if (origin === "recording") {          // moved, or a codec this browser lacks: the clips still show most of it
    recordingIsLost = true;
    origin = null;
    if (!data.clips.length) notice(data.say.js_lost);
    else if (document.body.classList.contains("moved")) seek(position, { prefer: chosen });
    else startWithClip();
  } else if (origin) notice(data.say.js_lost);
});

for (const type of ["play", "pause", "ended"]) document.addEventListener(type, onState, true);
for (const type of ["timeupdate", "seeked"]) document.addEventListener(type, (event) => { if (event.target === active) tick(); }, true);

function onState(event) {
  const video = event.target;
  if (event.type === "play") {
    active = video;
    if (video === player) document.body.classList.add("moved");
    $$("video").forEach((other) => { if (other !== video) other.pause(); });
    requestAnimationFrame(frame);
  }
  const plays = !active.paused;
  document.body.classList.toggle("plays", plays && active === player);
  $$("[data-do=play] use").forEach((use) => use.setAttribute("href", plays && active === player ? "#i-pause" : "#i-play"));
}

function frame() {
  if (active.paused) return;
  tick();
  requestAnimationFrame(frame);
}

function tick() {
  const clip = active === player ? origin : clipOf.get(active.dataset.clip);
  if (!clip || (active === player && active.readyState < 1)) return;
  if (active.seeking && active.paused) return;
  position = clip === "recording" ? active.currentTime : outOfClip(clip, active.currentTime);
  draw({ follow: true });
}

// --- what follows the playhead --------------------------------------------------------------------

function draw({ follow = false } = {}) {
  const x = data.duration ? position / data.duration : 0;
  $("#head").style.left = `${100 * x}%`;
  $("#now").textContent = clock(position);
  if (document.activeElement !== $("#scrub") || active.paused) $("#scrub").value = position;
  const line = lineAt(position);
  if (line !== currentLine) {
    lineButtons[currentLine]?.removeAttribute("aria-current");
    lineButtons[line]?.setAttribute("aria-current", "true");
    $("#caption").textContent = line >= 0 ? $("span", lineButtons[line]).textContent : "";
    currentLine = line;
    if (follow && line >= 0 && $("#follow").checked) showInside(lineList, lineButtons[line]);
  }
  if (follow && zoom > 1) followHead(x);
}

// The last line that has begun, as long as it was said not long ago.
function lineAt(time) {
  let low = 0, high = data.lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.lines[middle][0] <= time + 0.02) low = middle + 1;
    else high = middle;
  }
  return low && time < data.lines[low - 1][1] + 2 ? low - 1 : -1;
}

function showInside(box, part) {
  const inner = part.getBoundingClientRect(), outer = box.getBoundingClientRect();
  if (inner.top >= outer.top + 24 && inner.bottom <= outer.bottom - 48) return;
  box.scrollTop += inner.top - outer.top - outer.height * 0.35;
}

function followHead(x) {
  const width = over.offsetWidth, view = scroller.clientWidth - (lanes.offsetWidth - width);
  const at = x * width - scroller.scrollLeft;
  if (at < 0 || at > view - 24) scroller.scrollLeft = x * width - view * 0.2;
}

// --- choosing -------------------------------------------------------------------------------------

function choose(key) {
  const detail = $(`#d-${key}`);
  if (!detail) return;
  chosen = key;
  $("#inspector").replaceChildren(detail.content.cloneNode(true));
  $$(".block").forEach((block) => block.classList.toggle("chosen", block.dataset.item === key));
  $$(".clip").forEach((clip) => clip.classList.toggle("chosen", clip.id === key));
}

function nextClip(step) {
  if (!data.clips.length) return;
  const at = data.clips.findIndex((clip) => clip.key === chosen);
  const next = data.clips[at < 0 ? (step > 0 ? 0 : data.clips.length - 1) : (at + step + data.clips.length) % data.clips.length];
  choose(next.key);
  seek(next.spans.length ? next.spans[0][0] : 0, { prefer: next.key });
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-seek], [data-do], [data-zoom], a[href^='#']");
  if (!target) return;
  if (event.detail > 0 && target.matches("button")) target.blur();  // so that the space bar plays and does not press it again
  if (target.dataset.do) return actions[target.dataset.do]();
  if (target.dataset.zoom) return setZoom(Number(target.dataset.zoom) ? zoom * target.dataset.zoom : 1);
  if (target.matches("a")) return choose(target.hash.slice(1));
  if (target.dataset.item) choose(target.dataset.item);
  seek(Number(target.dataset.seek), { prefer: target.dataset.item || target.closest(".clip")?.id || chosen });
  if (target.closest(".clips, .products")) $(".screen").scrollIntoView({ block: "nearest" });
});

const actions = {
  play: playOrPause,
  back: () => nudge(-5),
  ahead: () => nudge(5),
  previous: () => nextClip(-1),
  next: () => nextClip(1),
  mute: () => { player.muted = !player.muted; $("[data-do=mute]").setAttribute("aria-pressed", String(player.muted)); },
  full: () => (document.fullscreenElement ? document.exitFullscreen() : player.requestFullscreen?.()),
};

const KEYS = {
  " ": playOrPause, k: playOrPause, j: () => nudge(-5), l: () => nudge(5),
  ArrowLeft: () => nudge(-1), ArrowRight: () => nudge(1), ArrowUp: () => nextClip(-1), ArrowDown: () => nextClip(1),
};

document.addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!(key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input[type=search], video[controls]")) return;
  if (key === " " && event.target.matches("button, a, summary, input")) return;
  if (key.startsWith("Arrow") && event.target.matches("input")) return;
  event.preventDefault();
  KEYS[key]();
});

$("#scrub").addEventListener("input", (event) => seek(Number(event.target.value), { prefer: chosen }));
$("#find")?.addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  lineButtons.forEach((line) => { line.parentElement.hidden = wanted !== "" && !line.textContent.toLowerCase().includes(wanted); });
});

// --- the timeline ---------------------------------------------------------------------------------

function timeAt(clientX) {
  const box = over.getBoundingClientRect();
  return clamp((clientX - box.left) / box.width, 0, 1) * data.duration;
}

function setZoom(next, clientX = null) {
  const widest = Math.min(data.duration * CLOSEST_PX, WIDEST_PX);
  const held = clientX === null ? position : timeAt(clientX);
  zoom = clamp(next, 1, Math.max(1, (widest * zoom) / Math.max(over.offsetWidth, 1)));
  lanes.style.setProperty("--zoom", zoom);
  const box = over.getBoundingClientRect(), at = box.left + (held / (data.duration || 1)) * box.width;
  const wanted = clientX ?? scroller.getBoundingClientRect().left + scroller.clientWidth / 2;
  scroller.scrollLeft += at - wanted;
  drawRuler();
}

function drawRuler() {
  const perSecond = over.offsetWidth / (data.duration || 1);
  const step = STEPS.find((one) => one * perSecond >= LABEL_PX) || 7200;
  const ticks = [];
  for (let time = 0; time <= data.duration; time += step) {
    const tick = document.createElement("span");
    tick.style.left = `${(100 * time) / (data.duration || 1)}%`;
    tick.textContent = clock(time);
    ticks.push(tick);
  }
  $("#ruler").replaceChildren(...ticks);
}

let scrubs = false;
lanes.addEventListener("pointerdown", (event) => {
  const onRuler = event.target.closest("#ruler");
  if (event.button || event.target.closest("button, .label") || (event.pointerType === "touch" && !onRuler)) return;
  scrubs = true;
  lanes.setPointerCapture(event.pointerId);
  seek(timeAt(event.clientX), { prefer: chosen });
});
lanes.addEventListener("pointermove", (event) => {
  if (scrubs) seek(timeAt(event.clientX), { prefer: chosen });
  if (event.pointerType === "mouse") readOut(event.target.closest(".label") ? null : event.clientX);
});
for (const type of ["pointerup", "pointercancel"]) lanes.addEventListener(type, () => { scrubs = false; });
lanes.addEventListener("pointerleave", () => readOut(null));
lanes.addEventListener("click", (event) => {                   // a tap beside the blocks
  if (event.pointerType === "touch" && !event.target.closest("button, .label")) seek(timeAt(event.clientX), { prefer: chosen });
});
scroller.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  setZoom(zoom * (event.deltaY < 0 ? 1.25 : 0.8), event.clientX);
}, { passive: false });

// Under the pointer: the time, and every curve's value there in place of its highest.
const outputs = $$(".lane.curve output").map((output) => ({ output, top: output.textContent }));

function readOut(clientX) {
  const cross = $("#cross");
  cross.hidden = clientX === null;
  const time = clientX === null ? 0 : timeAt(clientX);
  cross.style.left = `${(100 * time) / (data.duration || 1)}%`;
  cross.firstElementChild.textContent = clock(time);
  outputs.forEach(({ output, top }, lane) => { output.textContent = clientX === null ? top : valueAt(data.curves[lane], time); });
}

function valueAt(curves, time) {
  const values = curves.map(({ name, points }) => ({ name, value: pointAt(points, time) }));
  const best = values.reduce((a, b) => (b.value > a.value ? b : a));
  return (best.name ? `${best.name} ` : "") + Number(best.value.toPrecision(3));
}

function pointAt(points, time) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= time) low = middle;
    else high = middle - 1;
  }
  return points[low][1];
}

// --- hovering over a block ------------------------------------------------------------------------

const tip = $("#tip");
lanes.addEventListener("pointerover", (event) => {
  const block = event.pointerType === "mouse" ? event.target.closest(".block") : null;
  tip.hidden = !block;
  $$(".block").forEach((other) => other.classList.toggle("kin", !!block && other.dataset.item === block.dataset.item));
  if (!block) return;
  tip.replaceChildren($(`#d-${block.dataset.item}`).content.cloneNode(true));
  const box = block.getBoundingClientRect(), size = tip.getBoundingClientRect();
  tip.style.left = `${clamp(box.left, 8, Math.max(8, innerWidth - size.width - 8))}px`;
  tip.style.top = `${box.top - size.height - 8 < 8 ? box.bottom + 8 : box.top - size.height - 8}px`;
});
lanes.addEventListener("pointerout", () => { tip.hidden = true; });

addEventListener("resize", drawRuler);
if (!recordingIsLost) load("recording");
else startWithClip();
choose(["h1", "s1", "c1"].find((key) => $(`#d-${key}`)));
drawRuler();
draw();
