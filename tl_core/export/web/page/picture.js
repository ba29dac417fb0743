// A picture's bytes -> the square that the network sees, by PICTURE-PATH.md. The browser decodes; the resize is
// ours, since a canvas resizes otherwise in every browser, and the answers would differ with it.

import {reduced} from "./reduced.js";

const BAND = 256; // rows of the picture that are in memory as numbers at a time
const float = Math.fround; // OpenCV computes in 32 bits: halves fall as they do there

/** Blob, video or canvas -> Uint8Array (px * px * 3), RGB. Throws where it is no picture. */
export async function squareOf(source, px) {
  const bitmap = await createImageBitmap(source, {
    imageOrientation: "from-image", // paragraph 3
    colorSpaceConversion: "none", // 4: embedded profiles are not applied
  });
  try {
    const {width, height} = bitmap;
    const whole = {width, height, forEach: take => forEachRow(bitmap, take)};
    return resized(await reduced(source, whole, px), px); // 2, then 7
  } finally {
    bitmap.close();
  }
}

/** rows: {width, height, forEach(take(RGBA of a row, y))}. */
function resized(rows, px) {
  const w = Math.min(rows.width, px), h = Math.min(rows.height, px);
  const shrunk = averaged(rows, w, h);
  return w < px || h < px ? grown(shrunk, w, h, px) : shrunk;
}

/** 7, first half: every new pixel is the mean of the old ones that it covers (OpenCV's INTER_AREA). */
function averaged(rows, w, h) {
  const isWhole = rows.width % w === 0 && rows.height % h === 0;
  const isHalved = rows.width === 2 * w && rows.height === 2 * h;
  const area = (rows.width / w) * (rows.height / h);
  const across = covered(rows.width, w, isWhole), down = rowsOf(covered(rows.height, h, isWhole), rows.height);
  const sums = new Float32Array(w * h * 3), line = new Float32Array(w * 3);
  rows.forEach((row, y) => {
    averageLine(row, across, line);
    for (const [to, share] of down[y]) {
      const start = to * w * 3;
      for (let i = 0; i < line.length; i++) sums[start + i] += float(share * line[i]);
    }
  });
  if (isHalved) return Uint8Array.from(sums, sum => (sum + 2) >> 2);
  const each = isWhole ? float(1 / area) : 1;
  return Uint8Array.from(sums, sum => even(float(sum * each)));
}

function averageLine(row, across, line) {
  line.fill(0);
  for (let x = 0, at = 0; x < across.length; x++, at += 3) {
    const {first, shares} = across[x];
    for (let k = 0, from = 4 * first; k < shares.length; k++, from += 4)
      for (let c = 0; c < 3; c++) line[at + c] += float(shares[k] * row[from + c]);
  }
}

/** Of each of `count` new pixels, how much of it each of `old` old ones is; of whole multiples just 1. */
function covered(old, count, isWhole) {
  const scale = old / count;
  return Array.from({length: count}, (_, i) => {
    const low = i * scale, high = low + scale, width = isWhole ? 1 : Math.min(scale, old - low);
    const last = Math.min(Math.floor(high), old - 1), begin = Math.min(Math.ceil(low), last);
    const shares = [];
    if (begin - low > 1e-3) shares.push(float((begin - low) / width));
    for (let k = begin; k < last; k++) shares.push(float(1 / width));
    if (high - last > 1e-3) shares.push(float(Math.min(high - last, 1, width) / width));
    return {first: begin - low > 1e-3 ? begin - 1 : begin, shares};
  });
}

/** The same seen from the old rows: [[new row, share], …] of each. */
function rowsOf(cells, old) {
  const rows = Array.from({length: old}, () => []);
  cells.forEach(({first, shares}, to) => shares.forEach((share, k) => rows[first + k].push([to, share])));
  return rows;
}

/** RGBA rows from the top; transparency over white (5). */
function forEachRow(bitmap, take) {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = Math.min(BAND, bitmap.height);
  const pen = canvas.getContext("2d", {willReadFrequently: true, colorSpace: "srgb"});
  pen.fillStyle = "#fff";
  for (let top = 0; top < bitmap.height; top += BAND) {
    const rows = Math.min(BAND, bitmap.height - top);
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, -top);
    const {data} = pen.getImageData(0, 0, canvas.width, rows);
    for (let y = 0; y < rows; y++) take(data.subarray(y * canvas.width * 4, (y + 1) * canvas.width * 4), top + y);
  }
}

/** Halves go to the even neighbour. */
function even(value) {
  const floor = Math.floor(value), rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}

/** 7, second half: bilinear, in whole numbers of 1/2048 (OpenCV's INTER_LINEAR). */
function grown(pixels, w, h, px) {
  const across = neighbours(w, px), down = neighbours(h, px);
  const wide = new Int32Array(h * px * 3);
  for (let y = 0, to = 0; y < h; y++)
    for (const [left, right, far, near] of across)
      for (let c = 0; c < 3; c++) {
        const row = y * w * 3 + c;
        wide[to++] = pixels[row + 3 * left] * far + pixels[row + 3 * right] * near;
      }
  const square = new Uint8Array(px * px * 3), line = px * 3;
  down.forEach(([top, bottom, far, near], y) => {
    for (let i = 0; i < line; i++) {
      const above = (far * (wide[top * line + i] >> 4)) >> 16;
      const below = (near * (wide[bottom * line + i] >> 4)) >> 16;
      square[y * line + i] = (above + below + 2) >> 2;
    }
  });
  return square;
}

/** [first, second, weight of the first, of the second] of each new pixel. */
function neighbours(old, count) {
  return Array.from({length: count}, (_, i) => {
    const place = float((i + 0.5) * (old / count) - 0.5), low = Math.floor(place);
    if (low < 0) return [0, 0, 2048, 0];
    if (low >= old - 1) return [old - 1, old - 1, 2048, 0];
    const near = float(place - low);
    return [low, low + 1, even(float(float(1 - near) * 2048)), even(float(near * 2048))];
  });
}
