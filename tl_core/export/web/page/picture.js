// A picture's bytes -> the square that the network sees, by PICTURE-PATH.md. The browser decodes; the resize is
// ours, since a canvas resizes otherwise in every browser, and the answers would differ with it.

const BAND = 256; // rows of the picture that are in memory as numbers at a time

/** Blob, video or canvas -> {pixels: Uint8Array (px * px * 3), RGB, bitmap size}. Throws where it is no picture. */
export async function squareOf(source, px) {
  const bitmap = await createImageBitmap(source, {
    imageOrientation: "from-image", // paragraph 3
    colorSpaceConversion: "none", // 4: embedded profiles are not applied
  });
  try {
    return resized(bitmap, px);
  } finally {
    bitmap.close();
  }
}

function resized(bitmap, px) {
  const {width, height} = bitmap;
  const [w, h] = [Math.min(width, px), Math.min(height, px)];
  const shrunk = averaged(bitmap, w, h, width === 2 * px && height === 2 * px);
  return w < px || h < px ? grown(shrunk, w, h, px) : shrunk;
}

/** 7, first half: every new pixel is the mean of the old ones that it covers (OpenCV's INTER_AREA). */
function averaged(bitmap, w, h, isHalved) {
  const {width, height} = bitmap;
  const across = covered(width, w), down = rowsOf(covered(height, h), height);
  const sums = new Float64Array(w * h * 3);
  const line = new Float64Array(w * 3);
  forEachRow(bitmap, (row, y) => {
    averageLine(row, across, line);
    for (const [to, share] of down[y]) {
      const start = to * w * 3;
      for (let i = 0; i < line.length; i++) sums[start + i] += share * line[i];
    }
  });
  const area = (width / w) * (height / h);
  const pixels = new Uint8Array(sums.length);
  for (let i = 0; i < sums.length; i++) pixels[i] = isHalved ? Math.floor(sums[i] / area + 0.5) : even(sums[i] / area);
  return pixels;
}

function averageLine(row, across, line) {
  for (let x = 0, at = 0; x < across.length; x++) {
    const {first, shares} = across[x];
    let r = 0, g = 0, b = 0;
    for (let k = 0, from = 4 * first; k < shares.length; k++, from += 4) {
      r += shares[k] * row[from];
      g += shares[k] * row[from + 1];
      b += shares[k] * row[from + 2];
    }
    line[at++] = r;
    line[at++] = g;
    line[at++] = b;
  }
}

/** Of each of `count` new pixels, how much of which of `old` old ones it covers. */
function covered(old, count) {
  const scale = old / count;
  return Array.from({length: count}, (_, i) => {
    const low = i * scale, high = low + scale;
    const shares = [];
    let first = -1;
    for (let k = Math.floor(low); k < Math.min(Math.ceil(high), old); k++) {
      const share = Math.min(k + 1, high) - Math.max(k, low);
      if (share <= 1e-3) continue;
      if (first < 0) first = k;
      shares.push(share);
    }
    return {first, shares};
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
    for (const [left, right, near] of across)
      for (let c = 0; c < 3; c++) {
        const row = y * w * 3 + c;
        wide[to++] = pixels[row + 3 * left] * (2048 - near) + pixels[row + 3 * right] * near;
      }
  const square = new Uint8Array(px * px * 3), line = px * 3;
  down.forEach(([top, bottom, near], y) => {
    for (let i = 0; i < line; i++) {
      const above = ((2048 - near) * (wide[top * line + i] >> 4)) >> 16;
      const below = (near * (wide[bottom * line + i] >> 4)) >> 16;
      square[y * line + i] = (above + below + 2) >> 2;
    }
  });
  return square;
}

function neighbours(old, count) {
  return Array.from({length: count}, (_, i) => {
    const place = Math.min(Math.max((i + 0.5) * (old / count) - 0.5, 0), old - 1);
    const low = Math.floor(place);
    return [low, Math.min(low + 1, old - 1), even((place - low) * 2048)];
  });
}
