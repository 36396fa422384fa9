/**
 * A picture as a data URI that browsers show: an uncompressed 24-bit BMP, for pages with a few small pictures.
 * Bytes are [channels, height, width]; one channel is grey, three are red, green and blue.
 */
export function pictureUri(
  pixels: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
): string {
  const HEAD = 54;
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(HEAD + stride * height);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(HEAD, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  // Rows from the top.
  file.writeInt32LE(-height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  const plane = height * width;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = row * width + column;
      const to = HEAD + row * stride + 3 * column;
      // Blue, green, red.
      for (let i = 0; i < 3; i++)
        file[to + i] = pixels[channels === 1 ? from : (2 - i) * plane + from] as number;
    }
  }
  return `data:image/bmp;base64,${file.toString('base64')}`;
}
