import { base64Of, numbersIn, utf8Of } from '../../../platform/bytes.ts';

/**
 * An image as a data URI that browsers show: an uncompressed 24-bit BMP, for pages with a few small images.
 * Bytes are [channels, height, width]; one channel is grey, three are red, green and blue.
 */
export function pictureUri(
  pixels: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
): string {
  const HEAD = 54;
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = new Uint8Array(HEAD + stride * height);
  const head = numbersIn(file);
  file.set(utf8Of('BM'));
  head.setUint32(2, file.length, true);
  head.setUint32(10, HEAD, true);
  head.setUint32(14, 40, true);
  head.setInt32(18, width, true);
  // Rows from the top.
  head.setInt32(22, -height, true);
  head.setUint16(26, 1, true);
  head.setUint16(28, 24, true);
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
  return `data:image/bmp;base64,${base64Of(file)}`;
}
