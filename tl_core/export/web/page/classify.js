// The network and what its probabilities mean. about.json says which runtime, which classes, which limits.

import {squareOf} from "./picture.js";

/** {about, classify(source), ask(pixels)}; throws where a file is missing. */
export async function load() {
  const about = await (await fetch("about.json")).json();
  const ort = await import(new URL(about.runtime.module, document.baseURI));
  ort.env.wasm.numThreads = 1; // more need headers that an ordinary web server does not send
  ort.env.wasm.wasmPaths = {wasm: new URL(about.runtime.network, document.baseURI).href};
  const session = await ort.InferenceSession.create(await model(), {executionProviders: ["wasm"]});
  let before = Promise.resolve();

  /** Square (px * px * 3 bytes) -> probabilities, in the order of about.classes. One at a time. */
  async function ask(pixels) {
    const mine = before.then(() => {
      const pictures = new ort.Tensor("uint8", pixels, [1, about.image_px, about.image_px, 3]);
      return session.run({pictures});
    });
    before = mine.catch(() => {});
    return [...(await mine).probabilities.data];
  }

  return {about, ask, square: source => squareOf(source, about.image_px)};
}

async function model() {
  const reply = await fetch("model.onnx");
  if (!reply.ok) throw new Error("model.onnx");
  return new Uint8Array(await reply.arrayBuffer());
}

/** Probabilities -> {label, confidence}. threshold: of two classes, on about.positive_class; null: the most probable. */
export function said(about, probabilities, threshold) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  if (threshold === null || about.classes.length !== 2) return {label: about.classes[best], confidence: probabilities[best]};
  const positive = about.classes.indexOf(about.positive_class);
  const p = probabilities[positive], label = about.classes[p >= threshold ? positive : 1 - positive];
  const confidence = Math.min(0.5 + (0.5 * Math.abs(p - threshold)) / Math.min(threshold, 1 - threshold), 1);
  return {label, confidence};
}
