// The page: pictures in by four ways, cards out; two sliders; a language; offline after the first visit.

import {load, said} from "./classify.js";

const at = id => document.getElementById(id);
const LIVE_PAUSE_MS = 150;
const words = await (await fetch("words.json")).json();
let language = localStorage.getItem("language") || navigator.language.slice(0, 2);
if (!words[language]) language = "en" in words ? "en" : Object.keys(words)[0];
const say = key => words[language][key];
const cards = []; // {probabilities, draw} of all that is shown
let network = null;

function speak() {
  document.documentElement.lang = language;
  document.title = `${say("title")} · ${network ? network.about.run : ""}`;
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of at("languages").children) node.setAttribute("aria-pressed", node.value === language);
  if (network) at("positive").textContent = network.about.positive_class || "";
  cards.forEach(card => card.draw());
}

for (const name of Object.keys(words)) {
  const button = made("button", words[name].language, at("languages"));
  button.value = name;
  button.onclick = () => {
    localStorage.setItem("language", (language = name));
    speak();
  };
}

function made(name, text, parent, kind = "") {
  const node = document.createElement(name);
  node.textContent = text;
  node.className = kind;
  parent.append(node);
  return node;
}

const threshold = () => (network.about.classes.length === 2 ? Number(at("threshold").value) : null);
const percent = p => (100 * p).toFixed(p > 0.9995 || p < 0.0005 ? 2 : 1) + " %";

function drawAnswer(place, probabilities) {
  const {label, confidence} = said(network.about, probabilities, threshold());
  const isUnsure = confidence < Number(at("sure").value);
  place.replaceChildren();
  place.classList.toggle("unsure", isUnsure);
  made("h2", isUnsure ? `${say("unsure")} (${label}?)` : label, place);
  const bars = made("dl", "", place);
  network.about.classes
    .map((name, i) => [name, probabilities[i]])
    .sort((a, b) => b[1] - a[1])
    .forEach(([name, p]) => {
      made("dt", name, bars);
      const bar = made("progress", "", made("dd", "", bars));
      bar.value = p;
      bar.setAttribute("aria-label", name);
      made("dd", percent(p), bars);
    });
}

async function show(blob, name) {
  const card = document.createElement("article");
  at("answers").prepend(card);
  const picture = made("img", "", card);
  picture.alt = "";
  picture.src = URL.createObjectURL(blob);
  picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
  const side = made("div", "", card);
  made("small", name, side);
  const place = made("div", say("working"), side);
  try {
    const probabilities = await network.ask(await network.square(blob));
    const entry = {draw: () => drawAnswer(place, probabilities)};
    cards.push(entry);
    entry.draw();
  } catch {
    place.textContent = say("unreadable");
    place.className = "unsure";
  }
}

async function take(files) {
  for (const file of files) await show(file, file.name || say("pasted"));
}

at("files").onchange = async event => {
  await take([...event.target.files]);
  event.target.value = ""; // the same picture can be chosen again
};
for (const name of ["dragenter", "dragover"])
  addEventListener(name, event => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
addEventListener("dragleave", () => at("drop").classList.remove("over"));
addEventListener("drop", event => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});
addEventListener("paste", event => take([...event.clipboardData.files]));

// ---- live camera

let stream = null;

async function camera() {
  if (stream) return stop();
  if (!navigator.mediaDevices) return (at("told").textContent = say("camera_locked"));
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
  } catch {
    return (at("told").textContent = say("camera_refused"));
  }
  at("told").textContent = "";
  at("live").hidden = false;
  at("video").srcObject = stream;
  await at("video").play();
  at("camera").dataset.say = "camera_stop";
  speak();
  while (stream) {
    if (!document.hidden && at("video").videoWidth) {
      const probabilities = await network.ask(await network.square(at("video")));
      if (stream) drawAnswer(at("seen"), probabilities);
    }
    await new Promise(done => setTimeout(done, LIVE_PAUSE_MS));
  }
}

function stop() {
  stream.getTracks().forEach(track => track.stop());
  stream = null;
  at("live").hidden = true;
  at("camera").dataset.say = "camera";
  speak();
}

at("camera").onclick = camera;
at("clear").onclick = () => {
  cards.length = 0;
  at("answers").replaceChildren();
};

// ---- begin

at("no_server").remove();
speak();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("sw.js").catch(() => {});
try {
  network = await load();
  const {about} = network;
  at("run").textContent = `${about.run}: ${about.classes.join(", ")}`;
  at("sure").min = 1 / about.classes.length;
  at("sure").value = about.sure_from ?? about.usual_sure_from;
  at("threshold").value = about.threshold ?? 0.5;
  at("threshold_row").hidden = about.classes.length !== 2;
  for (const id of ["sure", "threshold"]) {
    const shown = () => {
      at(`${id}_value`).textContent = percent(Number(at(id).value));
      cards.forEach(card => card.draw());
    };
    at(id).oninput = shown;
    shown();
  }
  for (const node of document.querySelectorAll("[disabled]")) node.disabled = false;
  at("told").textContent = "";
  at("told").removeAttribute("data-say");
  speak();
  globalThis.headswap = network; // for the check that the export is done with
} catch (error) {
  at("told").textContent = `${say("broken")} (${error.message})`;
  globalThis.headswapError = String(error);
}
