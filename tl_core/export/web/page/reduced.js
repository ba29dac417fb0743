// Paragraph 2: a large JPEG as libjpeg decodes it at a half, a quarter or an eighth. A browser gives the whole
// picture only. libjpeg's small one is the mean of r * r neighbours of brightness and of colour, each a whole number;
// and of its colours, kept at half the size, as the file has them, where the browser has smoothed them to full
// size. Smoothing by (1 6 1) / 8 is undone exactly, but for the roundings in between.

const SMOOTH = [1 / 8, 6 / 8];

/** rows: {width, height, forEach(take(RGBA, y))} of the whole picture -> the same of the smaller one. */
export async function reduced(source, rows, px) {
  if (!(source instanceof Blob)) return rows; // a camera's picture is no file
  const jpeg = header(new Uint8Array(await source.arrayBuffer()));
  const room = Math.floor(Math.min(rows.width, rows.height) / (2 * px));
  const r = jpeg ? [8, 4, 2, 1].find(step => step <= Math.max(room, 1)) : 1;
  if (r === 1 || !["grey", "444", "420"].includes(jpeg)) return rows;
  return smaller(rows, r, jpeg);
}

/** "grey", "444", "420" or "other" of a JPEG, by how its colours are kept; null of anything else. */
function header(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  for (let at = 2; at + 9 < bytes.length; ) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === 0xda) return "other";
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return sampling(bytes.subarray(at + 9));
    at += marker === 0xff ? 1 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return "other";
}

function sampling([count, , first, , , second, , , third]) {
  if (count === 1) return "grey";
  if (count !== 3 || second !== 0x11 || third !== 0x11) return "other";
  return {0x11: "444", 0x22: "420"}[first] || "other";
}

function smaller(rows, r, kind) {
  const width = Math.ceil(rows.width / r), height = Math.ceil(rows.height / r);
  const half = kind === "420" ? 2 : 1; // side of the square that shares one colour
  const wide = Math.ceil(rows.width / half), high = Math.ceil(rows.height / half);
  const light = new Float32Array(width * height), blue = new Float32Array(wide * high), red = new Float32Array(wide * high);
  padded(rows, Math.max(r, half), (row, y) => {
    const to = Math.floor(y / r) * width, colour = Math.floor(y / half) * wide;
    for (let x = 0; x < width * r; x++) {
      const from = 4 * Math.min(x, rows.width - 1), R = row[from], G = row[from + 1], B = row[from + 2];
      if (y < height * r) light[to + Math.floor(x / r)] += 0.299 * R + 0.587 * G + 0.114 * B;
      if (x >= wide * half || y >= high * half) continue;
      const at = colour + Math.floor(x / half);
      blue[at] += -0.168735892 * R - 0.331264108 * G + 0.5 * B;
      red[at] += 0.5 * R - 0.418687589 * G - 0.081312411 * B;
    }
  });
  const planes = [blue, red].map(plane => {
    for (let i = 0; i < plane.length; i++) plane[i] /= half * half;
    if (half === 2) unsmoothed(plane, wide, high);
    return boxes(plane, wide, high, r / half, width, height);
  });
  return {width, height, forEach: take => colours(light, planes, r, width, height, take)};
}

/** Every row, the last one again until their number is a multiple of `step`. */
function padded(rows, step, take) {
  rows.forEach((row, y) => {
    take(row, y);
    if (y === rows.height - 1) for (let more = y + 1; more % step; more++) take(row, more);
  });
}

/** In place, along both sides: what (1 6 1) / 8 was laid over; at the ends (7 1) / 8. Thomas' algorithm. */
function unsmoothed(plane, width, height) {
  for (let y = 0; y < height; y++) solve(plane, y * width, 1, width);
  for (let x = 0; x < width; x++) solve(plane, x, width, height);
}

function solve(plane, start, step, count) {
  if (count < 2) return;
  const [side, middle] = SMOOTH, above = new Float64Array(count);
  let place = start;
  for (let i = 0; i < count; i++, place += step) {
    const own = i === 0 || i === count - 1 ? middle + side : middle;
    const rest = i ? own - side * above[i - 1] : own;
    above[i] = side / rest;
    plane[place] = (plane[place] - (i ? side * plane[place - step] : 0)) / rest;
  }
  for (let i = count - 2; i >= 0; i--) plane[start + i * step] -= above[i] * plane[start + (i + 1) * step];
}

function boxes(plane, wide, high, r, width, height) {
  if (r === 1) return plane;
  const means = new Float32Array(width * height);
  for (let y = 0; y < height * r; y++)
    for (let x = 0; x < width * r; x++)
      means[Math.floor(y / r) * width + Math.floor(x / r)] +=
        plane[Math.min(y, high - 1) * wide + Math.min(x, wide - 1)] / (r * r);
  return means;
}

function colours(light, [blue, red], r, width, height, take) {
  const row = new Uint8ClampedArray(4 * width);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const Y = Math.round(light[at] / (r * r)), b = Math.round(blue[at]), c = Math.round(red[at]);
      row[4 * x] = Y + Math.floor(1.402 * c + 0.5);
      row[4 * x + 1] = Y + Math.floor(-0.344136286 * b - 0.714136286 * c + 0.5);
      row[4 * x + 2] = Y + Math.floor(1.772 * b + 0.5);
    }
    take(row, y);
  }
}
